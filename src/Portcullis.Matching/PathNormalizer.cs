using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Portcullis.Matching;

/// <summary>
/// Brings a request target to the one form that policies, routes and the backend see (authorization.md §9). Idempotent; what is in normal form already is
/// returned as it is, without an allocation.
/// </summary>
public static class PathNormalizer
{
    private const int StackLimit = 256;
    private static readonly SearchValues<char> Suspicious = SearchValues.Create("%\\\0");

    /// <summary>Normalises a request target.</summary>
    /// <param name="target">Path and query as received, in origin form; all from the first <c>#</c> on is dropped.</param>
    /// <param name="mode">How much.</param>
    /// <param name="path">The path; what does not begin with <c>/</c> (such as <c>*</c>) is left as it is.</param>
    /// <param name="query">Text after the first <c>?</c>, as received; <see langword="null"/> without.</param>
    /// <returns><see langword="false"/> when the path has a NUL, raw or as <c>%00</c>: answer 400.</returns>
    public static bool TryNormalize(string target, PathNormalization mode, [NotNullWhen(true)] out string? path, out string? query)
    {
        query = null;
        path = target;
        var fragment = target.IndexOf('#');
        var end = fragment < 0 ? target.Length : fragment;
        var question = target.AsSpan(0, end).IndexOf('?');
        if (question >= 0)
        {
            query = target[(question + 1)..end];
            end = question;
        }

        if (end < target.Length)
        {
            path = target[..end];
        }

        return mode == PathNormalization.None || TryNormalizePath(path, mode, out path);
    }

    /// <summary>Normalises a path that has neither query nor fragment.</summary>
    /// <returns><see langword="false"/> when it has a NUL.</returns>
    public static bool TryNormalizePath(string path, PathNormalization mode, [NotNullWhen(true)] out string? normalized)
    {
        normalized = path;
        if (mode == PathNormalization.None || IsNormal(path, mode))
        {
            return true;
        }

        if (path.Contains('\0') || path.Contains("%00", StringComparison.Ordinal))
        {
            normalized = null;
            return false;
        }

        normalized = Apply(path, mode, mergesFirst: false);
        return true;
    }

    /// <summary>What a reader of the path may make of it, NUL or not: one that resolves dot segments first, or one that merges slashes before.</summary>
    internal static string Read(string path, PathNormalization mode, bool mergesFirst) => IsNormal(path, mode) ? path : Apply(path, mode, mergesFirst);

    private static string Apply(string path, PathNormalization mode, bool mergesFirst)
    {
        if (!path.StartsWith('/') && !path.StartsWith('\\'))
        {
            return path;
        }

        char[]? rented = null;
        var buffer = path.Length <= StackLimit ? stackalloc char[StackLimit] : rented = ArrayPool<char>.Shared.Rent(path.Length);
        path.CopyTo(buffer);
        var text = buffer[..path.Length];
        if (mode == PathNormalization.DecodeAndMergeSlashes)
        {
            text = text[..DecodeSlashes(text)];
        }

        text = text[..DecodeUnreserved(text)];
        if (mergesFirst)
        {
            text = text[..MergeSlashes(text)];
        }

        text = text[..RemoveDotSegments(text)];
        if (mode >= PathNormalization.MergeSlashes)
        {
            text = text[..MergeSlashes(text)];
        }

        var applied = text.SequenceEqual(path) ? path : text.ToString();
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented, clearArray: true);
        }

        return applied;
    }

    /// <summary>Whether a mode leaves the path as it is.</summary>
    internal static bool IsNormal(string path, PathNormalization mode) =>
        !path.AsSpan().ContainsAny(Suspicious)
        && !path.Contains("/.", StringComparison.Ordinal)
        && (mode < PathNormalization.MergeSlashes || !path.Contains("//", StringComparison.Ordinal));

    /// <summary>One pass: what it makes is not looked at again.</summary>
    private static int DecodeSlashes(Span<char> text)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '%' && TryDecode(text, i, out var decoded) && decoded is '/' or '\\')
            {
                c = decoded;
                i += 2;
            }

            text[length++] = c;
        }

        return length;
    }

    private static int DecodeUnreserved(Span<char> text)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\')
            {
                c = '/';
            }
            else if (c == '%' && TryDecode(text, i, out var decoded))
            {
                if (IsUnreserved(decoded) && !WouldCompleteEscape(text[..length], decoded))
                {
                    c = decoded;
                    i += 2;
                }
                else
                {
                    // kept with its case, and passed over whole: its digits begin nothing
                    text[length++] = c;
                    text[length++] = text[++i];
                    c = text[++i];
                }
            }

            text[length++] = c;
        }

        return length;
    }

    /// <summary>
    /// A stray <c>%</c> stays, but nothing is decoded into an escape behind it: <c>%%36%31</c> must not become <c>%61</c>, which the backend would
    /// decode a second time.
    /// </summary>
    private static bool WouldCompleteEscape(ReadOnlySpan<char> before, char decoded) =>
        char.IsAsciiHexDigit(decoded)
        && before is [.., '%'] or [.., '%', _]
        && (before[^1] == '%' || char.IsAsciiHexDigit(before[^1]));

    private static bool TryDecode(ReadOnlySpan<char> text, int index, out char decoded)
    {
        decoded = default;
        if (index + 2 >= text.Length || !char.IsAsciiHexDigit(text[index + 1]) || !char.IsAsciiHexDigit(text[index + 2]))
        {
            return false;
        }

        decoded = (char)((HexValue(text[index + 1]) << 4) | HexValue(text[index + 2]));
        return true;
    }

    private static int HexValue(char c) => char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;

    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';

    /// <summary>Resolves <c>.</c> and <c>..</c>, also with path parameters (<c>..;x</c>); an empty segment counts as one; never above the root.</summary>
    private static int RemoveDotSegments(Span<char> text)
    {
        var length = 0;
        for (var start = 0; start < text.Length;)
        {
            var segmentLength = text[(start + 1)..].IndexOf('/');
            var isLast = segmentLength < 0;
            segmentLength = isLast ? text.Length - start - 1 : segmentLength;
            var dots = DotCount(text.Slice(start + 1, segmentLength));
            if (dots == 0)
            {
                text.Slice(start, segmentLength + 1).CopyTo(text[length..]);
                length += segmentLength + 1;
            }
            else
            {
                if (dots == 2)
                {
                    length = Math.Max(text[..length].LastIndexOf('/'), 0);
                }

                if (isLast)
                {
                    text[length++] = '/';
                }
            }

            start += segmentLength + 1;
        }

        return length;
    }

    /// <returns>1 for <c>.</c>, 2 for <c>..</c>, 0 for every other segment.</returns>
    private static int DotCount(ReadOnlySpan<char> segment)
    {
        var parameters = segment.IndexOf(';');
        var name = parameters < 0 ? segment : segment[..parameters];
        return name is "." ? 1 : name is ".." ? 2 : 0;
    }

    private static int MergeSlashes(Span<char> text)
    {
        var length = 0;
        foreach (var c in text)
        {
            if (c != '/' || length == 0 || text[length - 1] != '/')
            {
                text[length++] = c;
            }
        }

        return length;
    }
}
