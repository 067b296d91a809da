using System.Text.Json;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Key sets that stand in a policy. What cannot be used at all is reported when the set is compiled.</summary>
internal static class KeyAnalysis
{
    private const int LeastRsaBits = 2048;
    private const string PublishedKeySet = "/security/tools/jwt/samples/jwks.json";

    /// <summary>Beginnings of moduli that stand in guides, and what is known of their private halves.</summary>
    private static readonly (string Modulus, string Fate)[] ExampleKeys =
    [
        ("2dnwOlDKEwII9Cyh9w7o59a5y3RS2gWUKYC3HSBJL1FhYIZa7sjTCKxwEuG", "nobody has its private half, so no token can be signed for it"),
        ("xAE7eB6qugXyCAG3yhh7pkDkT65pHymX-P7KfIupjf59vsdo91bSP9C8H07pSAG", "its private half is public, so anybody can sign tokens for it"),
    ];

    public static void Run(AnalysisContext context)
    {
        foreach (var (policy, rule, path) in context.JwtRules)
        {
            if (rule.JwksUri?.EndsWith(PublishedKeySet, StringComparison.Ordinal) == true)
            {
                context.Warning(
                    policy, $"{path}.jwksUri", ProblemCodes.ExampleKey, "this is the example key set of a guide: its private half is public, so anybody can sign tokens for it",
                    "name the key set of your own issuer");
            }

            if (!string.IsNullOrEmpty(rule.Jwks) && Keys(rule.Jwks) is { Count: > 0 } keys)
            {
                var field = $"{path}.jwks";
                context.Note(
                    policy, field, ProblemCodes.InlineKeys, "keys in the policy rotate only when the policy is changed", "serve the key set and name it in jwksUri");
                CheckKeys(context, policy, field, keys);
                CheckIds(context, policy, field, keys);
            }
        }
    }

    private static void CheckKeys(AnalysisContext context, RequestAuthentication policy, string field, List<JsonElement> keys)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            var modulus = Text(keys[i], "n");
            var type = Text(keys[i], "kty");
            if (Array.Find(ExampleKeys, k => modulus?.StartsWith(k.Modulus, StringComparison.Ordinal) == true) is { Fate: { } fate })
            {
                context.Warning(
                    policy, field, ProblemCodes.ExampleKey, $"jwks key at index {i} is the example key of a guide: {fate}",
                    "generate a key pair of your own: portcullis jwk generate, or portcullis jwk from-pem for one that you have");
            }

            if (type == "oct")
            {
                context.Warning(
                    policy, field, ProblemCodes.WeakKey, $"jwks key at index {i} is a shared secret: whoever can read the policy can sign tokens",
                    "sign with RS256, ES256 or EdDSA and publish the public key");
            }
            else if (type == "RSA" && modulus is not null && Bits(modulus) is > 0 and < LeastRsaBits and var bits)
            {
                context.Warning(
                    policy, field, ProblemCodes.WeakKey, $"jwks key at index {i} has {bits} bits; RSA keys below {LeastRsaBits} are not accepted (RFC 7518 section 3.3)",
                    "generate a new key: portcullis jwk generate --alg RS256");
            }
        }
    }

    private static void CheckIds(AnalysisContext context, RequestAuthentication policy, string field, List<JsonElement> keys)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < keys.Count; i++)
        {
            if (Text(keys[i], "kid") is not { Length: > 0 } id)
            {
                if (keys.Count > 1)
                {
                    context.Warning(
                        policy, field, ProblemCodes.KeyIds, $"jwks key at index {i} has no kid although there are {keys.Count} keys: it is tried for every token, whatever key the token names",
                        "give every key its own kid: portcullis jwk thumbprint makes one");
                }
            }
            else if (!seen.Add(id))
            {
                context.Warning(
                    policy, field, ProblemCodes.KeyIds, $"jwks key at index {i} has the kid of another key, `{id}`", "give every key its own kid: portcullis jwk thumbprint makes one");
            }
        }
    }

    /// <summary>The keys of a set; none when the text is no set, which is reported elsewhere.</summary>
    private static List<JsonElement> Keys(string jwks)
    {
        try
        {
            var root = JsonElement.Parse(jwks);
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
                ? [.. keys.EnumerateArray().Where(k => k.ValueKind == JsonValueKind.Object)]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int Bits(string modulus)
    {
        var length = modulus.TrimEnd('=').Length * 6 / 8;
        return length * 8;
    }
}
