using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Portcullis.Matching;

/// <summary>
/// Names a claim, at the top or nested: <c>[a.b][c]</c> takes each name as it is; <c>a.b</c> is the claim of that very name if there is one, else the member
/// <c>b</c> of <c>a</c>.
/// </summary>
public sealed class ClaimPath
{
    private const string RoutePrefix = "@request.auth.claims";
    private const string PolicyPrefix = "request.auth.claims";

    private readonly string[] _names;
    private readonly string[]? _exact;

    private ClaimPath(string[] names, string[]? exact = null)
    {
        _names = names;
        _exact = exact;
    }

    /// <summary>The names from the top down, dots split.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>A top-level claim of this very name.</summary>
    public static ClaimPath Literal(string name) => new([name]);

    /// <summary>Reads <c>a.b.c</c> (<c>outputClaimToHeaders[].claim</c>).</summary>
    public static ClaimPath ParseDotted(string text) => text.Contains('.') ? new(text.Split('.'), [text]) : new([text]);

    /// <summary>
    /// Reads <c>[a][b]</c>. What is not a clean sequence of brackets is one literal name, the outer brackets removed, as Istio reads it.
    /// </summary>
    /// <returns><see langword="false"/> when the text is not in brackets, or a name is empty.</returns>
    public static bool TryParseBracketed(string text, [NotNullWhen(true)] out ClaimPath? path)
    {
        path = null;
        if (text is not ['[', .., ']'] || text.Length == 2)
        {
            return false;
        }

        var names = text[1..^1].Split("][");
        foreach (var name in names)
        {
            if (name.Length == 0)
            {
                return false;
            }

            if (name.AsSpan().ContainsAny('[', ']'))
            {
                path = Literal(text[1..^1]);
                return true;
            }
        }

        path = new ClaimPath(names);
        return true;
    }

    /// <summary>Reads the key of a condition, <c>request.auth.claims[a][b]</c> (AuthorizationPolicy).</summary>
    /// <returns><see langword="false"/> when the key is another one, or its brackets are wrong.</returns>
    public static bool TryParsePolicyKey(string key, [NotNullWhen(true)] out ClaimPath? path)
    {
        path = null;
        return key.StartsWith(PolicyPrefix, StringComparison.Ordinal) && TryParseBracketed(key[PolicyPrefix.Length..], out path);
    }

    /// <summary>Whether a header key of a route means a claim: it begins with <c>@request.auth.claims</c>, letters of either case.</summary>
    public static bool IsRouteKey(string key) => key.StartsWith(RoutePrefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the key of a route match, <c>@request.auth.claims.a.b</c> or <c>@request.auth.claims[a][b]</c> (VirtualService).</summary>
    /// <returns><see langword="false"/> when the key is another one, or nothing usable follows the prefix.</returns>
    public static bool TryParseRouteKey(string key, [NotNullWhen(true)] out ClaimPath? path)
    {
        path = null;
        if (!IsRouteKey(key))
        {
            return false;
        }

        var rest = key[RoutePrefix.Length..];
        if (rest is not ['.', _, ..])
        {
            return TryParseBracketed(rest, out path);
        }

        if (rest.EndsWith('.') || rest.Contains("..", StringComparison.Ordinal))
        {
            return false;
        }

        path = ParseDotted(rest[1..]);
        return true;
    }

    /// <summary>Finds the claim.</summary>
    /// <param name="claims">Where to look.</param>
    /// <param name="value">The value as the token holds it.</param>
    /// <param name="isSpaceDelimited">Whether a string there is to be seen as the list of its parts.</param>
    public bool TryGet(ClaimSet claims, out JsonElement value, out bool isSpaceDelimited)
    {
        if (_exact is not null && claims.TryGet(_exact, out value))
        {
            isSpaceDelimited = claims.IsSpaceDelimited(_exact[0]);
            return true;
        }

        isSpaceDelimited = _names.Length == 1 && claims.IsSpaceDelimited(_names[0]);
        return claims.TryGet(_names, out value);
    }

    /// <summary>The path in brackets.</summary>
    public override string ToString() => $"[{string.Join("][", _names)}]";
}
