using Portcullis.Matching;

namespace Portcullis.Policy.Analysis;

/// <summary>Whether any normalised path can match a value of <c>paths</c>.</summary>
internal static class PathReach
{
    private const string Parent = "..";

    /// <returns><see langword="null"/> when one can.</returns>
    public static string? WhyUnreachable(string value, PathNormalization mode)
    {
        if (value == "*")
        {
            return null;
        }

        var isSuffix = value.StartsWith('*');
        var isPrefix = !isSuffix && value.EndsWith('*') && !PathTemplate.IsTemplate(value);
        var text = isSuffix ? value[1..] : isPrefix ? value[..^1] : value;
        if (text.IndexOfAny(['?', '#']) is >= 0 and var cut)
        {
            return $"what follows `{text[cut]}` is no part of the path";
        }

        if (!isSuffix && text.Length > 0 && text[0] is not ('/' or '\\'))
        {
            return "paths begin with `/`";
        }

        foreach (var c in text)
        {
            if (c <= ' ' || c == '\x7F')
            {
                return "blanks and control characters arrive as `%20` and the like";
            }
        }

        return mode == PathNormalization.None ? null : WhyNotNormal(text, isPrefix, mode);
    }

    /// <summary>The spelling that requests have; <see langword="null"/> where there is none that surely is meant.</summary>
    public static string? Reachable(string value, PathNormalization mode)
    {
        if (value.AsSpan().IndexOfAny("?#{ ") >= 0 || value is not ['/' or '\\', ..])
        {
            return null;
        }

        var isPrefix = value.EndsWith('*');
        var text = isPrefix ? value[..^1] : value;
        return PathNormalizer.TryNormalizePath(text, mode, out var normal) && normal != text && WhyUnreachable(isPrefix ? $"{normal}*" : normal, mode) is null
            ? isPrefix ? $"{normal}*" : normal
            : null;
    }

    /// <summary>Whether the normalised form only spells the same path otherwise; a climb by <c>..</c> is for a person to judge.</summary>
    public static bool IsSameSpelling(string value) =>
        !value.Contains(Parent, StringComparison.Ordinal) && !value.Contains("%2e", StringComparison.OrdinalIgnoreCase) && !value.Contains(';', StringComparison.Ordinal);

    private static string? WhyNotNormal(string text, bool isOpen, PathNormalization mode)
    {
        if (text.Contains('\\', StringComparison.Ordinal))
        {
            return "`\\` becomes `/` before paths are compared";
        }

        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0 && i + 2 < text.Length; i = text.IndexOf('%', i + 1))
        {
            var escape = text.Substring(i, 3);
            if (!char.IsAsciiHexDigit(escape[1]) || !char.IsAsciiHexDigit(escape[2]))
            {
                continue;
            }

            var c = (char)Convert.ToInt32(escape[1..], 16);
            if (c == '\0')
            {
                return "`%00` is answered with 400";
            }

            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' || (c is '/' or '\\' && mode == PathNormalization.DecodeAndMergeSlashes))
            {
                return $"`{escape}` becomes `{(c == '\\' ? '/' : c)}` before paths are compared";
            }
        }

        if (mode >= PathNormalization.MergeSlashes && text.Contains("//", StringComparison.Ordinal))
        {
            return "runs of slashes become one before paths are compared";
        }

        return HasDotSegment(text, isOpen) ? "`.` and `..` are resolved before paths are compared" : null;
    }

    private static bool HasDotSegment(string text, bool isOpen)
    {
        var start = text.IndexOf('/', StringComparison.Ordinal);
        while (start >= 0)
        {
            var end = text.IndexOf('/', start + 1);
            if (end < 0 && isOpen)
            {
                // The star may go on with it: `/.*` is the beginning of `/.well-known`.
                return false;
            }

            var segment = text.AsSpan(start + 1, (end < 0 ? text.Length : end) - start - 1);
            var parameters = segment.IndexOf(';');
            if ((parameters < 0 ? segment : segment[..parameters]) is "." or Parent)
            {
                return true;
            }

            start = end;
        }

        return false;
    }
}
