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
    private readonly StringComparison _comparison;
    private readonly SafeRegex? _regex;

    private PathMatch(PathMatchKind kind, string operand, bool ignoreCase, SafeRegex? regex)
    {
        Kind = kind;
        Operand = operand;
        IgnoresCase = ignoreCase;
        _comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        _regex = regex;
    }

    /// <summary>No condition.</summary>
    public static PathMatch Any { get; } = new(PathMatchKind.Any, "/", false, null);

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

    internal static PathMatch? TryCompile(StringMatch? match, bool ignoreCase, RegexCache regexes, out string? error)
    {
        error = null;
        switch (match)
        {
            case null or { Kind: StringMatchKind.Present }:
                return Any;
            case { Kind: StringMatchKind.Regex }:
                return regexes.TryGet(match.Value, out var regex, out error) ? new(PathMatchKind.Regex, match.Value, false, regex) : null;
            default:
                return new(match.Kind == StringMatchKind.Exact ? PathMatchKind.Exact : PathMatchKind.Prefix, match.Value, ignoreCase, null);
        }
    }

    /// <summary>Whether the condition holds for a path.</summary>
    public bool IsMatch(string path) => Kind switch
    {
        PathMatchKind.Any => true,
        PathMatchKind.Exact => path.Length == Operand.Length && path.Equals(Operand, _comparison),
        PathMatchKind.Prefix => path.StartsWith(Operand, _comparison),
        _ => _regex!.IsMatch(path),
    };

    /// <summary>The characters of a matching path that a rewrite replaces: the prefix, or everything.</summary>
    internal int MatchedLength(string path) => Kind switch
    {
        PathMatchKind.Any or PathMatchKind.Prefix => Math.Min(Operand.Length, path.Length),
        _ => path.Length,
    };
}
