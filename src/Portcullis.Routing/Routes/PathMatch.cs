using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>How a route matches the path.</summary>
public enum PathMatchKind
{
    /// <summary>No condition; for rewrites the prefix <c>/</c>.</summary>
    Any,

    /// <summary>The whole path.</summary>
    Exact,

    /// <summary>The path begins with these characters (not: segments).</summary>
    Prefix,

    /// <summary>RE2, the whole path.</summary>
    Regex,
}

/// <summary>The <c>uri</c> condition of a route, on the normalised path without query (routing.md §2.4).</summary>
public sealed class PathMatch
{
    private readonly StringMatcher _matcher;

    private PathMatch(PathMatchKind kind, string operand, bool ignoresCase, StringMatcher matcher)
    {
        Kind = kind;
        Operand = operand;
        IgnoresCase = ignoresCase;
        _matcher = matcher;
    }

    /// <summary>No condition.</summary>
    public static PathMatch Any { get; } = new(PathMatchKind.Any, "/", false, StringMatcher.Present);

    /// <summary>Which kind.</summary>
    public PathMatchKind Kind { get; }

    /// <summary>Path, prefix or expression as written; <c>/</c> for <see cref="PathMatchKind.Any"/>.</summary>
    public string Operand { get; }

    /// <summary><c>ignoreUriCase</c>; has no effect on an expression.</summary>
    public bool IgnoresCase { get; }

    /// <summary>Matches everything, so that other routes of the host go first (routing.md §2.2).</summary>
    internal bool IsCatchAll => Kind switch
    {
        PathMatchKind.Any => true,
        PathMatchKind.Prefix => Operand == "/",
        PathMatchKind.Regex => Operand == ".*",
        _ => false,
    };

    /// <summary>Whether the condition holds for a path.</summary>
    public bool IsMatch(string path) => _matcher.IsMatch(path);

    internal static PathMatch? TryCompile(StringMatch? match, bool ignoreCase, StringMatchCompiler strings, out string? reason)
    {
        reason = null;
        if (match is null || StringMatchCompiler.IsPresence(match))
        {
            return Any;
        }

        var kind = match.Kind switch
        {
            StringMatchKind.Exact => PathMatchKind.Exact,
            StringMatchKind.Prefix => PathMatchKind.Prefix,
            _ => PathMatchKind.Regex,
        };
        return strings.TryCompile(match, out var matcher, out reason, ignoreCase)
            ? new(kind, match.Value, ignoreCase && kind != PathMatchKind.Regex, matcher)
            : null;
    }

    /// <summary>The characters of a matching path that a rewrite replaces: the prefix, or everything.</summary>
    internal int MatchedLength(string path) => Kind switch
    {
        PathMatchKind.Any or PathMatchKind.Prefix => Math.Min(Operand.Length, path.Length),
        _ => path.Length,
    };
}
