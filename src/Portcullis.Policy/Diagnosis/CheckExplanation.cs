using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Diagnosis;

/// <summary>By how much a token that can be read fails a check, and what helps (authentication.md §7, checks 14–20).</summary>
internal static class CheckExplanation
{
    public static TokenFinding Explain(JwtStatus status, JsonWebToken jwt, JwtRuleSource rule, RuleKeys keys, DateTimeOffset now) => status switch
    {
        JwtStatus.UnknownIssuer => Issuer(jwt.Issuer, rule.Rule.Issuer!),
        JwtStatus.Expired => Expired(jwt.ExpiresAt!.Value, now),
        JwtStatus.NotYetValid => NotYetValid(jwt.NotBefore!.Value, now),
        JwtStatus.AudienceNotAllowed => Audience(jwt.Audiences, rule.Rule.Audiences),
        JwtStatus.KeyIdAlgorithmMismatch => NoKey(jwt, keys),
        JwtStatus.Ed25519SignatureWrongLength => new("an Ed25519 signature has 64 bytes, this one does not", "the token was cut or changed on its way: compare it with what the issuer gave out"),
        _ when jwt.Header.TryGetProperty("crit", out _) && keys.Set is { IsUsable: true } =>
            new("the header has `crit`, and no such extension is supported (RFC 7515 §4.1.11)", "have the issuer leave `crit` out"),
        _ when keys.Set is not { IsUsable: true } => keys.Missing,
        _ => new(
            $"the key {Wording.Quote(jwt.KeyId)} fits by kid and alg ({jwt.Algorithm.Name}), and the signature is not by it: another key pair signed, or the token was changed",
            $"put the public half of the key that signs into {keys.Place}: `portcullis jwk from-pem PUBLIC.pem --jwks` makes the set"),
    };

    /// <summary>Signs that a clock is wrong, on a token that may be good for all that.</summary>
    public static TokenFinding? Clocks(JsonWebToken jwt, DateTimeOffset now) =>
        jwt.IssuedAt is { } issuedAt && Wording.TimeOf(issuedAt) is { } time && time - now > CompiledJwtRule.ClockSkew
            ? new(
                $"`iat` says that the token was issued {Wording.Span(time - now)} from now: the clocks of the issuer and of this machine differ",
                "synchronise both (`timedatectl` shows whether a clock is)")
            : null;

    private static TokenFinding Issuer(string? actual, string wanted)
    {
        var given = actual ?? "";
        var difference = given switch
        {
            "" => null,
            _ when given.TrimEnd('/') == wanted.TrimEnd('/') => "they differ only by a trailing slash",
            _ when string.Equals(given, wanted, StringComparison.OrdinalIgnoreCase) => "they differ only in case",
            _ when given.Trim() == wanted.Trim() => "they differ only by white space",
            _ when WithoutScheme(given) == WithoutScheme(wanted) => "they differ only in http and https",
            _ => null,
        };
        return new(
            $"issued by {Wording.Quote(actual)}, the rule wants {Wording.Quote(wanted)}{(difference is null ? "" : $": {difference}, and every byte counts")}",
            actual is null ? "the token needs an `iss` claim" : difference is null
                ? "if tokens of this issuer should pass, add a rule with it; otherwise send a token of the issuer that the rule names"
                : $"write `issuer: {given}` in the rule");
    }

    private static string WithoutScheme(string issuer) => issuer.StartsWith("http://", StringComparison.Ordinal) ? "https" + issuer[4..] : issuer;

    private static TokenFinding Expired(ulong expiresAt, DateTimeOffset now)
    {
        var ago = now - Wording.TimeOf(expiresAt);
        return new(
            $"expired {Wording.Span(ago)} ago (exp {Wording.Date(expiresAt)}), and clocks may differ by 60 s only",
            ago < TimeSpan.FromMinutes(10)
                ? "get a new token; if it was made just now, the clocks differ: synchronise the issuer's and the gateway's"
                : "get a new token");
    }

    private static TokenFinding NotYetValid(ulong notBefore, DateTimeOffset now)
    {
        var ahead = Wording.TimeOf(notBefore) - now;
        return new(
            $"valid in {Wording.Span(ahead)} (nbf {Wording.Date(notBefore)}), and clocks may differ by 60 s only",
            "if the token is meant for now, the clocks differ: synchronise the issuer's and the gateway's (`timedatectl` shows whether a clock is)");
    }

    private static TokenFinding Audience(ImmutableArray<string> actual, ImmutableArray<string> wanted) => new(
        $"`aud` has {Wording.List(actual)}, the rule wants {(wanted.Length == 1 ? "" : "one of ")}{Wording.List(wanted)}",
        actual.IsEmpty ? "have the issuer put the audience into the token" : "get a token for this audience, or add the audience to `audiences` of the rule");

    private static TokenFinding NoKey(JsonWebToken jwt, RuleKeys keys)
    {
        var held = Wording.List([.. keys.Set!.Keys.Select(k => k.KeyId ?? "(no kid)")]);
        var sameId = keys.Set.Keys.FirstOrDefault(k => k.KeyId is not null && k.KeyId == jwt.KeyId);
        return sameId is null
            ? new(
                $"signed with kid {Wording.Quote(jwt.KeyId)} ({jwt.Algorithm.Name}), the set holds {held}",
                keys.IsRemote
                    ? $"{keys.Place} does not publish this key: is it the key server of this issuer?"
                    : $"the set is older than the key, or of another issuer: put the new public key into {keys.Place}, or let `jwksUri` follow the issuer's keys")
            : new(
                $"signed with {jwt.Algorithm.Name}, and the key {Wording.Quote(jwt.KeyId)} of the set is for {sameId.Algorithm ?? sameId.DefaultAlgorithm.Name}",
                "have the issuer sign with the algorithm of its key, or publish the key with the right `alg`");
    }
}

/// <summary>The keys of a rule as they are known here.</summary>
/// <param name="Set"><see langword="null"/> when there is none.</param>
/// <param name="IsRemote">From a key server.</param>
/// <param name="Place">What to call them in a sentence.</param>
/// <param name="Missing">What to say when there is no usable key.</param>
internal sealed record RuleKeys(JsonWebKeySet? Set, bool IsRemote, string Place, TokenFinding Missing);
