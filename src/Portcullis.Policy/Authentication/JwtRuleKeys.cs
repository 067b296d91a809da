using System.Collections.Frozen;
using System.Text.Json;
using Portcullis.Jose;
using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>Where a rule's keys come from (authentication.md §9). A rule whose keys cannot be had is kept: its tokens fail, they do not pass unverified.</summary>
internal static class JwtRuleKeys
{
    public static JwksSource For(JwtRuleSource source, IJwksResolver resolver, ICollection<Problem> problems)
    {
        var rule = source.Rule;
        if (!string.IsNullOrEmpty(rule.Jwks))
        {
            return Inline(rule.Jwks, source, problems);
        }

        if (string.IsNullOrEmpty(rule.JwksUri) && string.IsNullOrEmpty(rule.Issuer))
        {
            problems.Add(Problem.At(
                source.Policy, source.FieldPath, ProblemSeverity.Error, ProblemCodes.MissingField,
                "issuer or jwksUri must be non-empty string", "no token of this rule is accepted until it says where its keys are"));
            return FixedJwksSource.None;
        }

        return resolver.Resolve(new()
        {
            Issuer = string.IsNullOrEmpty(rule.Issuer) ? null : rule.Issuer,
            JwksUri = string.IsNullOrEmpty(rule.JwksUri) ? null : rule.JwksUri,
            Timeout = rule.Timeout ?? JwksLocation.DefaultTimeout,
            Annotations = source.Policy.Metadata.Annotations
                .Where(a => a.Key.StartsWith(PolicyAnnotations.Prefix, StringComparison.Ordinal))
                .ToFrozenDictionary(StringComparer.Ordinal),
        });
    }

    private static FixedJwksSource Inline(string jwks, JwtRuleSource source, ICollection<Problem> problems)
    {
        var keys = JsonWebKeySet.Parse(jwks);
        var fieldPath = $"{source.FieldPath}.jwks";
        if (!keys.IsUsable)
        {
            var message = keys.Status is JwksStatus.ParseError ? $"jwks parse error: {keys.Status.Message}" : $"no key can be used: {keys.Status.Message}";
            // Istio admits an empty set, and the data plane refuses its tokens; keys that are wrong stop the author before that.
            var severity = keys is { Status: JwksStatus.NoValidKeys, Rejected.IsEmpty: true } ? ProblemSeverity.Warning : ProblemSeverity.Error;
            problems.Add(Problem.At(
                source.Policy, fieldPath, severity, ProblemCodes.UnusableKeys, message,
                "give a JSON Web Key Set with a public key; until then every token of this rule is refused"));
        }
        else
        {
            foreach (var rejected in keys.Rejected)
            {
                problems.Add(Problem.At(
                    source.Policy, fieldPath, ProblemSeverity.Warning, ProblemCodes.UnusableKeys,
                    $"jwks key at index {rejected.Index} cannot be used: {rejected.Reason.Message}", "tokens signed by it are refused"));
            }
        }

        foreach (var index in SecretKeys(jwks))
        {
            problems.Add(Problem.At(
                source.Policy, fieldPath, ProblemSeverity.Warning, ProblemCodes.PrivateKey,
                $"jwks key at index {index} contains private key material; only public keys are used for verification",
                "publish the public half only, and replace the key if others could read this policy"));
        }

        return new(keys);
    }

    /// <summary>Positions of keys that are symmetric or have a private half; none when the text is no key set.</summary>
    private static IEnumerable<int> SecretKeys(string jwks)
    {
        JsonElement root;
        try
        {
            root = JsonElement.Parse(jwks);
        }
        catch (JsonException)
        {
            // Reported as a set that cannot be used.
            yield break;
        }

        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
        {
            yield break;
        }

        var index = 0;
        foreach (var key in keys.EnumerateArray())
        {
            if (key.ValueKind == JsonValueKind.Object && (key.TryGetProperty("d", out _) || IsSymmetric(key)))
            {
                yield return index;
            }

            index++;
        }
    }

    private static bool IsSymmetric(JsonElement key) =>
        key.TryGetProperty("kty", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("oct");
}
