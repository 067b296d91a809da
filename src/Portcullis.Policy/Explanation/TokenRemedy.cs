using Portcullis.Jose;

namespace Portcullis.Policy.Explanation;

/// <summary>What to do about a refused token.</summary>
internal static class TokenRemedy
{
    public static string For(JwtStatus status) => status switch
    {
        JwtStatus.Missing => "send a token: a rule requires one",
        JwtStatus.Expired => "get a new token; if it is fresh, compare the clocks of issuer and gateway",
        JwtStatus.NotYetValid => "wait until the token is valid, or compare the clocks of issuer and gateway",
        JwtStatus.UnknownIssuer => "send a token of an issuer that a RequestAuthentication names, or add its issuer; it is compared to the character, a trailing slash counts",
        JwtStatus.AudienceNotAllowed => "ask the issuer for a token with an audience of the rule, or add the token's audience to `audiences`",
        JwtStatus.VerificationFailed or JwtStatus.NoValidKeys or JwtStatus.KeyIdAlgorithmMismatch or JwtStatus.FetchFailed =>
            "sign with a key whose public half is in the rule's `jwks` or behind its `jwksUri`, and check that the key set can be had",
        _ => "send a well-formed token, or none where none is required",
    };
}
