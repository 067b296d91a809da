using System.Diagnostics.CodeAnalysis;

namespace Portcullis.Matching;

/// <summary>
/// A path with the operators <c>{*}</c> (one segment, one character or more) and <c>{**}</c> (any text, slashes too, perhaps none), as Istio's
/// AuthorizationPolicy takes it. The whole path must match.
/// </summary>
/// <remarks>Envoy's operators match a list of characters only; these match every one, so that no odd character dodges a DENY.</remarks>
public sealed class PathTemplate
{
    /// <summary>Envoy's bound on a template, its operators counted as <c>*</c> and <c>**</c>.</summary>
    public const int MaxLength = 256;

    private const string Segment = "{*}";
    private const string Rest = "{**}";

    private readonly string[] _literals; // a {*} stands between each two; the first begins the path
    private readonly string? _suffix; // text after {**}; null without that operator

    private PathTemplate(string[] literals, string? suffix)
    {
        _literals = literals;
        _suffix = suffix;
    }

    /// <summary>Text that every match begins with: what stands before the first operator.</summary>
    public string LiteralPrefix => _literals[0];

    /// <summary>Whether a value is to be read as a template.</summary>
    public static bool IsTemplate(string value) =>
        value.Contains(Segment, StringComparison.Ordinal) || value.Contains(Rest, StringComparison.Ordinal);

    /// <summary>Compiles a template.</summary>
    /// <param name="value">Starts with <c>/</c>; each operator is a whole segment; none follows <c>{**}</c>.</param>
    /// <param name="template">The compiled template.</param>
    /// <param name="reason">What is wrong, in Istio's words where it has some.</param>
    public static bool TryCompile(string value, [NotNullWhen(true)] out PathTemplate? template, [NotNullWhen(false)] out string? reason)
    {
        template = null;
        reason = Check(value);
        if (reason is not null)
        {
            return false;
        }

        var rest = value.IndexOf(Rest, StringComparison.Ordinal);
        var head = rest < 0 ? value : value[..rest];
        template = new PathTemplate(head.Split(Segment), rest < 0 ? null : value[(rest + Rest.Length)..]);
        return true;
    }

    /// <summary>Whether a path without query matches.</summary>
    public bool IsMatch(ReadOnlySpan<char> path)
    {
        for (var i = 0; i < _literals.Length; i++)
        {
            if (i > 0)
            {
                var length = path.IndexOf('/');
                length = length < 0 ? path.Length : length;
                if (length == 0)
                {
                    return false;
                }

                path = path[length..];
            }

            if (!path.StartsWith(_literals[i]))
            {
                return false;
            }

            path = path[_literals[i].Length..];
        }

        return _suffix is null ? path.IsEmpty : path.EndsWith(_suffix);
    }

    private static string? Check(string value)
    {
        if (!value.StartsWith('/') || value.StartsWith("//", StringComparison.Ordinal) || value.EndsWith("//", StringComparison.Ordinal))
        {
            return "a path template must begin with one `/` and may end with one";
        }

        var length = value.Length;
        var ended = false;
        foreach (var range in value.AsSpan().Trim('/').Split('/'))
        {
            var segment = value.AsSpan().Trim('/')[range];
            if (segment is Segment or Rest)
            {
                if (ended)
                {
                    return "`{**}` is not the last operator";
                }

                ended = segment.Length == Rest.Length;
                length -= 2;
            }
            else if (segment.ContainsAny('{', '}'))
            {
                return "contains `{` or `}` beyond a supported path template";
            }
            else if (segment.IsEmpty || segment.ContainsAnyExcept(LiteralCharacters))
            {
                return $"contains segment `{segment}` with invalid string literal";
            }
        }

        return length > MaxLength ? $"a path template may not be longer than {MaxLength} characters" : null;
    }

    private static readonly System.Buffers.SearchValues<char> LiteralCharacters = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()+,;:@=");
}
