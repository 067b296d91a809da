using Portcullis.Jose;
using Portcullis.Matching;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Explanation;

/// <summary>What a refused token says, noted while it is at hand: the token itself is not kept.</summary>
public static class TokenRefusal
{
    /// <summary>What the token has and what the rule wants, without anything to sign in with; <see langword="null"/> when there is no more to say than the status does.</summary>
    /// <param name="authenticator">The stage that refused it.</param>
    /// <param name="request">The request as it arrived.</param>
    /// <param name="status">Why.</param>
    /// <param name="reference">The rule whose check it failed; <see langword="null"/> when none came to a check.</param>
    /// <param name="now">When it was refused.</param>
    public static string? Describe<TRequest>(
        JwtAuthenticator authenticator, ref readonly TRequest request, JwtStatus status, JwtRuleReference? reference, DateTimeOffset now)
        where TRequest : struct, IRequestAttributes
    {
        ArgumentNullException.ThrowIfNull(authenticator);
        var tokens = new PresentedTokens();
        authenticator.Scanner.Scan(in request, ref tokens);
        if (tokens.Count != 1)
        {
            return tokens.Count == 0 ? "no token stands where a rule looks for one" : $"the request has {tokens.Count} tokens";
        }

        var token = tokens.Span[0];
        JsonWebToken.TryParse(token.ToString(), out var jwt);
        var rule = Array.Find(authenticator.Rules, r => r.Reference == reference);
        var detail = (jwt, rule) switch
        {
            (null, _) => null,
            (_, null) when status == JwtStatus.UnknownIssuer => $"`iss` is {TokenExaminer.Quote(jwt.Issuer)}, and no rule that reads it is for that issuer",
            (_, null) => null,
            _ => TokenExaminer.Detail(rule, status, jwt, now),
        };
        return detail is null ? $"it stands in {token.Location}" : $"{detail}; it stands in {token.Location}";
    }
}
