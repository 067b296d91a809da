using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Explanation;

/// <summary>The JWT stage, told rule by rule.</summary>
internal sealed class TokenExaminer(JwtAuthenticator? authenticator)
{
    private const string NoRule = "no RequestAuthentication with a rule is attached: tokens are not looked at";

    /// <summary>What the stage makes of the request.</summary>
    public (AuthenticationResult Result, ImmutableArray<TokenVerdict> Verdicts, string? Note) Examine(FactsView view, RequestFacts facts, DateTimeOffset now)
    {
        if (authenticator is null)
        {
            return (new AuthenticationResult(JwtStatus.Ok, null, null, null), [], NoRule);
        }

        if (facts.AssertedClaims is { } claims && !JwtAuthenticator.IsPreflight(in view))
        {
            return Assert(claims, now);
        }

        var result = authenticator.Authenticate(in view, now);
        if (JwtAuthenticator.IsPreflight(in view))
        {
            return (result, [], "a CORS preflight: its tokens are not looked at");
        }

        var tokens = new PresentedTokens();
        authenticator.Scanner.Scan(in view, ref tokens);
        var verdicts = ImmutableArray.CreateBuilder<TokenVerdict>();
        foreach (var token in tokens.Span)
        {
            var memo = new TokenMemo(token, cache: null);
            foreach (var rule in authenticator.Rules)
            {
                if (rule.Reads(token.Location))
                {
                    verdicts.Add(Verdict(token.Location.ToString(), rule, rule.Check(ref memo, now), memo.Jwt, now));
                }
            }
        }

        return (result, verdicts.DrainToImmutable(), tokens.Count == 0 ? "no token stands where a rule looks for one" : null);
    }

    /// <summary>Claims without a signature: every other check is made by every rule.</summary>
    private (AuthenticationResult, ImmutableArray<TokenVerdict>, string?) Assert(JsonElement claims, DateTimeOffset now)
    {
        const string Location = "asserted claims";
        var text = $"{Segment("""{"alg":"RS256"}""")}.{Segment(claims.GetRawText())}.AA";
        var status = JsonWebToken.TryParse(text, out var jwt);
        if (jwt is null)
        {
            return (new AuthenticationResult(status, null, null, null), [], null);
        }

        var verdicts = ImmutableArray.CreateBuilder<TokenVerdict>();
        AuthenticationResult? accepted = null;
        (JwtStatus Status, JwtRuleReference? Rule) refused = (JwtStatus.UnknownIssuer, null);
        foreach (var rule in authenticator!.Rules)
        {
            status = Check(rule, jwt, now);
            verdicts.Add(Verdict(Location, rule, status, jwt, now));
            if (status == JwtStatus.Ok && accepted is null)
            {
                var memo = new TokenMemo(new PresentedToken(new TokenLocation(TokenLocationKind.Header, "", "", 0), text, 0, text.Length), cache: null);
                memo.Read(now);
                var token = rule.Accept(in memo);
                accepted = new AuthenticationResult(JwtStatus.Ok, token.Identity, authenticator.EditsFor(token), rule.Reference);
            }
            else if (status is not (JwtStatus.Ok or JwtStatus.UnknownIssuer))
            {
                refused = (status, rule.Reference);
            }

            if (status != JwtStatus.Ok && rule.IsRequired)
            {
                return (new AuthenticationResult(status, null, null, rule.Reference), verdicts.DrainToImmutable(), "the rule requires a token of its own");
            }
        }

        return (accepted ?? new AuthenticationResult(refused.Status, null, null, refused.Rule), verdicts.DrainToImmutable(), null);
    }

    private static JwtStatus Check(CompiledJwtRule rule, JsonWebToken jwt, DateTimeOffset now)
    {
        if (rule.Issuer is not null && !string.Equals(rule.Issuer, jwt.Issuer, StringComparison.Ordinal))
        {
            return JwtStatus.UnknownIssuer;
        }

        var status = jwt.CheckLifetime(now, CompiledJwtRule.ClockSkew);
        return status != JwtStatus.Ok || rule.Audiences.Accepts(jwt.Audiences) ? status : JwtStatus.AudienceNotAllowed;
    }

    private static TokenVerdict Verdict(string location, CompiledJwtRule rule, JwtStatus status, JsonWebToken? jwt, DateTimeOffset now) => new(
        location, rule.Reference.ToString(), rule.Issuer, status == JwtStatus.Ok, status.ToString(), status.Message, Detail(rule, status, jwt, now));

    internal static string? Detail(CompiledJwtRule rule, JwtStatus status, JsonWebToken? jwt, DateTimeOffset now) => (status, jwt) switch
    {
        (_, null) => null,
        (JwtStatus.UnknownIssuer, _) => $"`iss` is {Quote(jwt.Issuer)}, the rule is for {Quote(rule.Issuer)}",
        (JwtStatus.Expired, { ExpiresAt: { } at }) => $"`exp` is {Time(at)}, now is {Time((ulong)now.ToUnixTimeSeconds())}",
        (JwtStatus.NotYetValid, { NotBefore: { } at }) => $"`nbf` is {Time(at)}, now is {Time((ulong)now.ToUnixTimeSeconds())}",
        (JwtStatus.AudienceNotAllowed, _) => $"`aud` is [{string.Join(", ", jwt.Audiences.Take(10).Select(a => Quote(a)))}], none of the rule's audiences",
        (JwtStatus.VerificationFailed or JwtStatus.KeyIdAlgorithmMismatch or JwtStatus.NoValidKeys, _) =>
            $"the token names key {Quote(jwt.KeyId)} with {jwt.Algorithm.Name}; the rule has {KeyCount(rule)} usable key(s)",
        _ => null,
    };

    private static int KeyCount(CompiledJwtRule rule) => rule.Keys.Current.Keys?.Keys.Length ?? 0;

    internal static string Quote(string? text) => text is null ? "absent" : $"`{(text.Length > 200 ? text[..200] + "…" : text)}`";

    private static string Time(ulong seconds) => seconds <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds()
        ? DateTimeOffset.FromUnixTimeSeconds((long)seconds).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        : seconds.ToString(CultureInfo.InvariantCulture);

    private static string Segment(string json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
