using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>A place that a rule reads tokens from, as configured. Equal by value.</summary>
/// <param name="Kind">Header, parameter or cookie.</param>
/// <param name="Name">Lower case for a header.</param>
/// <param name="Prefix">Headers only.</param>
internal readonly record struct TokenPlace(TokenLocationKind Kind, string Name, string Prefix)
{
    /// <summary>The header that carries it; the query has a name that no header can have.</summary>
    public string Carrier => Kind switch
    {
        TokenLocationKind.Header => Name,
        TokenLocationKind.Cookie => "cookie",
        _ => "?",
    };

    /// <summary>A rule's places (authentication.md §6): its own, or <c>Authorization: Bearer</c> and <c>access_token</c> when it names none at all.</summary>
    public static IEnumerable<TokenPlace> Of(JwtRule rule)
    {
        if (rule.FromHeaders.IsEmpty && rule.FromParams.IsEmpty && rule.FromCookies.IsEmpty)
        {
            return [new(TokenLocationKind.Header, "authorization", "Bearer "), new(TokenLocationKind.Parameter, "access_token", "")];
        }

        return rule.FromHeaders.Select(h => new TokenPlace(TokenLocationKind.Header, h.Name.ToLowerInvariant(), h.Prefix))
            .Concat(rule.FromParams.Select(p => new TokenPlace(TokenLocationKind.Parameter, p, "")))
            .Concat(rule.FromCookies.Select(c => new TokenPlace(TokenLocationKind.Cookie, c, "")))
            .Where(p => p.Name.Length > 0)
            .Distinct();
    }

    public override string ToString() => new TokenLocation(Kind, Name, Prefix, 0).ToString();
}
