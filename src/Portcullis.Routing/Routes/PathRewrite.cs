using Portcullis.Matching;

namespace Portcullis.Routing;

/// <summary>A new path for the backend (<c>rewrite.uri</c>, <c>rewrite.uriRegexRewrite</c>; routing.md §2.6). The query is not touched.</summary>
public sealed class PathRewrite
{
    private readonly string _replacement;
    private readonly RegexRewrite? _regex;

    private PathRewrite(string replacement, RegexRewrite? regex) => (_replacement, _regex) = (replacement, regex);

    /// <summary>Replaces what the route's path condition matched: the prefix, or else the whole path.</summary>
    internal static PathRewrite OfMatch(string replacement) => new(replacement, null);

    /// <summary>Replaces every match of an expression.</summary>
    internal static PathRewrite OfRegex(RegexRewrite regex) => new("", regex);

    /// <summary>The path to send. No slash is added or taken away: prefix <c>/api</c> with <c>/</c> makes <c>//x</c> of <c>/api/x</c>.</summary>
    /// <param name="match">The route's path condition, which <paramref name="path"/> fulfils.</param>
    /// <param name="path">Normalised path without query.</param>
    public string Apply(PathMatch match, string path) =>
        _regex is null ? string.Concat(_replacement, path.AsSpan(match.MatchedLength(path))) : _regex.Apply(path);
}
