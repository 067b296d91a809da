using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Portcullis.Matching;

namespace Portcullis.Routing;

/// <summary>
/// A condition on a claim of the verified token, written as a header named <c>@request.auth.claims.a.b</c> or
/// <c>@request.auth.claims[a][b]</c> (routing.md §2.4). A header that a client sends by that name is never looked at.
/// </summary>
internal sealed class ClaimMatch
{
    private const string Prefix = "@request.auth.claims";

    private readonly string[] _path;

    private ClaimMatch(string[] path) => _path = path;

    /// <summary>Whether a header name is meant as a claim.</summary>
    public static bool IsClaim(string name) => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <returns><see langword="false"/>: neither of the two forms.</returns>
    public static bool TryParse(string name, [NotNullWhen(true)] out ClaimMatch? claim)
    {
        claim = null;
        var rest = name.AsSpan(Prefix.Length);
        var path = rest is ['[', .., ']'] ? rest[1..^1].ToString().Split("][") : rest is ['.', ..] ? rest[1..].ToString().Split('.') : [];
        if (path.Length == 0 || Array.Exists(path, p => p.Length == 0 || p.AsSpan().ContainsAny('[', ']')))
        {
            return false;
        }

        claim = new(path);
        return true;
    }

    /// <summary>A string must match, of a list any element; <c>scope</c> and the like are lists of their words. Anything else does not match.</summary>
    public bool IsMatch(ClaimSet? claims, ValueMatcher matcher)
    {
        if (claims is null || !claims.TryGet(_path, out var value))
        {
            return false;
        }

        if (matcher.IsPresence)
        {
            return true;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                var text = value.GetString()!;
                return _path.Length == 1 && claims.IsSpaceDelimited(_path[0]) ? AnyWord(text, matcher) : matcher.IsMatch(text);
            case JsonValueKind.Array:
                foreach (var element in value.EnumerateArray())
                {
                    if (element.ValueKind == JsonValueKind.String && matcher.IsMatch(element.GetString()))
                    {
                        return true;
                    }
                }

                return false;
            default:
                return false;
        }
    }

    private static bool AnyWord(ReadOnlySpan<char> text, ValueMatcher matcher)
    {
        foreach (var word in text.Split(' '))
        {
            if (!text[word].IsEmpty && matcher.IsMatch(text[word]))
            {
                return true;
            }
        }

        return false;
    }
}
