using System.Globalization;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary>By how much a token failed a check, and what helps.</summary>
internal static class JwtExplanation
{
    /// <summary>A <c>NumericDate</c> as a time; null past the year 9999.</summary>
    public static DateTimeOffset? TimeOf(ulong seconds) =>
        seconds <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : null;

    public static string? Explain(
        JwtStatus status, JsonWebToken jwt, JsonWebKeySet keys, string? issuer, IReadOnlyList<string> audiences, DateTimeOffset now) => status switch
        {
            JwtStatus.Expired =>
                $"expired {Ago(now - TimeOf(jwt.ExpiresAt!.Value))} ago, and the clock skew is used up: get a new token",
            JwtStatus.NotYetValid =>
                $"valid in {Ago(TimeOf(jwt.NotBefore!.Value) - now)}: wait, or compare the clocks of issuer and gateway",
            JwtStatus.UnknownIssuer => $"`iss` is {Quote(jwt.Issuer)}, wanted is {Quote(issuer)}",
            JwtStatus.AudienceNotAllowed => $"`aud` has {List(jwt.Audiences)}, wanted is one of {List(audiences)}",
            JwtStatus.KeyIdAlgorithmMismatch =>
                $"the token was signed with {jwt.Algorithm.Name} by key {Quote(jwt.KeyId)}, the set holds {List([.. keys.Keys.Select(Describe)])}",
            JwtStatus.VerificationFailed when jwt.Header.TryGetProperty("crit", out _) =>
                "the header has `crit`, and no such extension is supported",
            JwtStatus.VerificationFailed =>
                $"no key that fits verifies the signature (token: kid {Quote(jwt.KeyId)}, {jwt.Algorithm.Name}): the key pair is another one, or the token was changed",
            _ => null,
        };

    private static string Describe(JsonWebKey key) => $"{key.KeyId ?? "(no kid)"} for {key.Algorithm ?? key.KeyType switch
    {
        JwkKeyType.Rsa => "RS* and PS*",
        JwkKeyType.Oct => "HS*",
        _ => key.DefaultAlgorithm.Name,
    }}";

    private static string List(IReadOnlyList<string> values) => values.Count == 0 ? "nothing" : string.Join(", ", values.Select(v => $"`{v}`"));

    private static string Quote(string? value) => value is null ? "absent" : $"`{value}`";

    private static string Ago(TimeSpan? span)
    {
        if (span is not { } s)
        {
            return "more than 7000 years";
        }

        var text = s switch
        {
            { TotalDays: >= 1 } => $"{(long)s.TotalDays} d {s.Hours} h",
            { TotalHours: >= 1 } => $"{s.Hours} h {s.Minutes} min",
            { TotalMinutes: >= 1 } => $"{s.Minutes} min {s.Seconds} s",
            _ => $"{s.Seconds} s",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }
}
