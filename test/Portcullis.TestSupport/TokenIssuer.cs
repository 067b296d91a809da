using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Jose;

namespace Portcullis.TestSupport;

/// <summary>An issuer with one key: mints tokens, and publishes the key set that verifies them.</summary>
public sealed class TokenIssuer
{
    /// <param name="issuer">The <c>iss</c> claim of its tokens.</param>
    /// <param name="algorithm">What it signs with.</param>
    /// <param name="keyId">The <c>kid</c> of its key; null takes the thumbprint (a shared secret has none then).</param>
    public TokenIssuer(string issuer = "testing@asm.test.io", JwsAlgorithm algorithm = JwsAlgorithm.RS256, string? keyId = null)
        : this(issuer, JsonWebKey.Generate(algorithm, keyId))
    {
    }

    public TokenIssuer(string issuer, JsonWebKey key)
    {
        Issuer = issuer;
        Key = key;
    }

    public string Issuer { get; }

    /// <summary>The key with its private half.</summary>
    public JsonWebKey Key { get; }

    public JwsAlgorithm Algorithm => Key.DefaultAlgorithm;

    /// <summary>The key as it is published; a shared secret with its secret, as a verifier needs it.</summary>
    public string JwkJson => Key.KeyType == JwkKeyType.Oct ? Key.ToJson(includePrivate: true) : Key.ToJson();

    /// <summary><c>{"keys":[…]}</c>.</summary>
    public string JwksJson => JwksOf(this);

    public JsonWebKeySet KeySet => JsonWebKeySet.Parse(JwksJson);

    /// <summary>The key set of several issuers together, in their order.</summary>
    public static string JwksOf(params IEnumerable<TokenIssuer> issuers) => $"{{\"keys\":[{string.Join(',', issuers.Select(i => i.JwkJson))}]}}";

    /// <summary>A token of this issuer. Claims given later win, so <c>("iss", null)</c> leaves out the issuer.</summary>
    public string Mint(params (string Name, JsonNode? Value)[] claims) => Mint(subject: null, expiresAt: null, claims);

    /// <summary>A token of this issuer for a subject, with an <c>exp</c> if one is given.</summary>
    public string Mint(string? subject, DateTimeOffset? expiresAt = null, params (string Name, JsonNode? Value)[] claims)
    {
        var payload = new JsonObject { ["iss"] = Issuer };
        if (subject is not null)
        {
            payload["sub"] = subject;
        }

        if (expiresAt is { } time)
        {
            payload["exp"] = time.ToUnixTimeSeconds();
        }

        foreach (var (name, value) in claims)
        {
            if (value is null)
            {
                payload.Remove(name);
            }
            else
            {
                payload[name] = value.DeepClone();
            }
        }

        return Sign(payload.ToJsonString());
    }

    /// <summary>A token whose payload is this text to the byte.</summary>
    public string Sign(string payloadJson) => JwtSigner.Sign(payloadJson, Key);

    /// <summary>A token with this header to the byte, signed as it should be.</summary>
    public string Sign(string headerJson, string payloadJson) =>
        JwtSigner.SignCompact(Encoding.UTF8.GetBytes(headerJson), Encoding.UTF8.GetBytes(payloadJson), Key, Algorithm);

    /// <summary>The same token with its signature broken: still base64url, of the same length.</summary>
    public static string BreakSignature(string token)
    {
        var start = token.LastIndexOf('.') + 1;
        return $"{token[..start]}{(token[start] == 'A' ? 'B' : 'A')}{token[(start + 1)..]}";
    }

    /// <summary>The claims of a token as text, not verified.</summary>
    public static JsonElement ClaimsOf(string token) =>
        JsonWebToken.TryParse(token, out var jwt) is JwtStatus.Ok ? jwt!.Payload : throw new ArgumentException("not a token", nameof(token));
}
