using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>A JSON Web Key (RFC 7517 §4): public, private or a shared secret. Immutable, and safe for concurrent use.</summary>
public sealed class JsonWebKey
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal JsonWebKey(KeyMaterial material) => Material = material;

    /// <summary>The <c>kty</c> member.</summary>
    public JwkKeyType KeyType => Material.KeyType;

    /// <summary>The <c>kid</c> member; null if absent or no string.</summary>
    public string? KeyId { get; init; }

    /// <summary>The <c>alg</c> member; null if absent, empty or no string. A key that has one is used with that algorithm only.</summary>
    public string? Algorithm { get; init; }

    /// <summary>The <c>use</c> member, <c>sig</c> or <c>enc</c>; null if absent or no string.</summary>
    public string? Use { get; init; }

    /// <summary>The <c>key_ops</c> member; null if absent.</summary>
    public IReadOnlyList<string>? KeyOperations { get; init; }

    /// <summary>True if it can sign. An <c>oct</c> key always can.</summary>
    public bool HasPrivateKey => Material.HasPrivateKey;

    /// <summary>The algorithm it signs with if none is asked for: its <c>alg</c>, else RS256, that of its curve, or the HMAC of its length.</summary>
    public JwsAlgorithm DefaultAlgorithm =>
        JwsAlgorithms.TryParse(Algorithm, out var algorithm) ? algorithm : Material.DefaultAlgorithm;

    internal KeyMaterial Material { get; }

    /// <summary>True if kind, curve and length of the key are right for the algorithm. Its <c>alg</c> is not looked at.</summary>
    public bool Supports(JwsAlgorithm algorithm) => Material.Supports(algorithm);

    /// <summary>Reads one JWK, with its private members if it has them. No text makes this throw.</summary>
    /// <param name="json">One JSON object, at most <see cref="JsonWebKeySet.MaxLength"/> characters.</param>
    /// <param name="key">The key; null unless the result is <see cref="JwksStatus.Ok"/>.</param>
    public static JwksStatus TryParse(string json, out JsonWebKey? key)
    {
        ArgumentNullException.ThrowIfNull(json);
        key = null;
        if (json.Length > JsonWebKeySet.MaxLength)
        {
            return JwksStatus.TooLong;
        }

        return StrictJson.TryParseObject(json, out var jwk) ? JwkReader.TryRead(jwk, forVerifying: false, out key) : JwksStatus.ParseError;
    }

    /// <summary>Reads the first key or certificate of a PEM text: SPKI, PKCS#1, PKCS#8, SEC 1 or X.509, unencrypted.</summary>
    /// <param name="pem">The text; what is around the PEM block is skipped (RFC 7468 §2).</param>
    /// <param name="key">The key, private if the PEM is, without <c>kid</c> and <c>alg</c>; null on an error.</param>
    /// <param name="error">What is wrong with it and what helps; null on success.</param>
    public static bool TryFromPem(string pem, out JsonWebKey? key, out string? error)
    {
        ArgumentNullException.ThrowIfNull(pem);
        error = PemReader.TryRead(pem, out var material);
        key = material is null ? null : new(material);
        return error is null;
    }

    /// <summary>Makes a new key for an algorithm: RSA of the given size, the algorithm's curve, or a secret as long as its hash.</summary>
    /// <param name="algorithm">It becomes the key's <c>alg</c>.</param>
    /// <param name="keyId">The <c>kid</c>; null takes the thumbprint, save for a shared secret, which gets none.</param>
    /// <param name="rsaBits">Bits of an RSA modulus: 2048, 3072 or 4096. Other kinds do not look at it.</param>
    public static JsonWebKey Generate(JwsAlgorithm algorithm, string? keyId = null, int rsaBits = 2048)
    {
        if (algorithm.IsRsa && rsaBits is not (2048 or 3072 or 4096))
        {
            throw new ArgumentOutOfRangeException(nameof(rsaBits), rsaBits, "an RSA key has 2048, 3072 or 4096 bits");
        }

        KeyMaterial material = algorithm switch
        {
            JwsAlgorithm.EdDSA => Ed25519Key.Generate(),
            _ when algorithm.IsRsa => RsaKey.Generate(rsaBits),
            _ when algorithm.IsEcdsa => EcKey.Generate(algorithm),
            JwsAlgorithm.HS256 => new OctKey(RandomNumberGenerator.GetBytes(32)),
            JwsAlgorithm.HS384 => new OctKey(RandomNumberGenerator.GetBytes(48)),
            JwsAlgorithm.HS512 => new OctKey(RandomNumberGenerator.GetBytes(64)),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
        };
        var key = new JsonWebKey(material);

        // The thumbprint of a secret is a hash of it, which lets a reader of the token test guesses (RFC 7638 §7).
        keyId ??= algorithm.IsHmac ? null : key.Thumbprint();
        return new(material) { KeyId = keyId, Algorithm = algorithm.Name, Use = "sig" };
    }

    /// <summary>The same key under other metadata. Null keeps what it has.</summary>
    public JsonWebKey With(string? keyId = null, string? algorithm = null, string? use = null) =>
        new(Material) { KeyId = keyId ?? KeyId, Algorithm = algorithm ?? Algorithm, Use = use ?? Use, KeyOperations = KeyOperations };

    /// <summary>The public half, fit to be published; null for a shared secret. <c>key_ops</c> of the private half is dropped.</summary>
    public JsonWebKey? ToPublic() =>
        Material.ToPublic() is { } material ? new(material) { KeyId = KeyId, Algorithm = Algorithm, Use = Use } : null;

    /// <summary>The thumbprint (RFC 7638, RFC 8037 §2): SHA-256 over the required members, in base64url.</summary>
    public string Thumbprint() => StrictBase64Url.Encode(SHA256.HashData(Write(Material.WriteRequiredMembers)));

    /// <summary>The JWK in one line of JSON.</summary>
    /// <param name="includePrivate">
    /// True writes the private members of a key that has them. False writes the public half, and throws for a shared secret.
    /// </param>
    public string ToJson(bool includePrivate = false)
    {
        if (!includePrivate && KeyType == JwkKeyType.Oct)
        {
            throw new InvalidOperationException("a shared secret has no public half");
        }

        return Encoding.UTF8.GetString(Write(json =>
        {
            Material.WriteRequiredMembers(json);
            if (includePrivate && HasPrivateKey)
            {
                Material.WritePrivateMembers(json);
            }

            WriteMetadata(json, includePrivate);
        }));
    }

    /// <summary>The key in PEM: PKCS#8 with the private half, SPKI without; null for a shared secret, which has no such form.</summary>
    /// <param name="includePrivate">True needs a key that <see cref="HasPrivateKey"/>.</param>
    public string? ToPem(bool includePrivate = false) =>
        includePrivate && !HasPrivateKey ? throw new InvalidOperationException("the key has no private half") : Material.ToPem(includePrivate);

    /// <summary>Kind and key id. Never a number of the key.</summary>
    public override string ToString() => $"{Material.KeyTypeName} key {(KeyId is null ? "without kid" : $"`{KeyId}`")}";

    /// <summary>Envoy's two filters: both have a <c>kid</c> and they differ; the key has an <c>alg</c> and it is another.</summary>
    internal bool Matches(string? keyId, JwsAlgorithm algorithm) =>
        (string.IsNullOrEmpty(keyId) || string.IsNullOrEmpty(KeyId) || keyId == KeyId) && (Algorithm is null || Algorithm == algorithm.Name);

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, WriterOptions))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private void WriteMetadata(Utf8JsonWriter json, bool includePrivate)
    {
        if (KeyId is not null)
        {
            json.WriteString("kid"u8, KeyId);
        }

        if (Algorithm is not null)
        {
            json.WriteString("alg"u8, Algorithm);
        }

        if (Use is not null)
        {
            json.WriteString("use"u8, Use);
        }

        if (KeyOperations is { } operations && (includePrivate || !HasPrivateKey))
        {
            json.WriteStartArray("key_ops"u8);
            foreach (var operation in operations)
            {
                json.WriteStringValue(operation);
            }

            json.WriteEndArray();
        }
    }
}
