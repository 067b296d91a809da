using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>Makes compact tokens: for tests, demonstrations and the command line. The gateway itself signs nothing.</summary>
public static class JwtSigner
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Signs claims under a header of <c>alg</c>, <c>kid</c> and <c>typ</c>.</summary>
    /// <param name="claimsJson">The payload as it shall stand in the token; nothing in it is checked or added.</param>
    /// <param name="key">A key that has a private half.</param>
    /// <param name="algorithm">Null takes the key's <see cref="JsonWebKey.DefaultAlgorithm"/>.</param>
    /// <param name="keyId">The <c>kid</c>; null takes the key's, and an empty one leaves it out.</param>
    /// <param name="type">The <c>typ</c>; null leaves it out.</param>
    public static string Sign(string claimsJson, JsonWebKey key, JwsAlgorithm? algorithm = null, string? keyId = null, string? type = "JWT")
    {
        ArgumentNullException.ThrowIfNull(claimsJson);
        ArgumentNullException.ThrowIfNull(key);
        var signWith = algorithm ?? key.DefaultAlgorithm;
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("alg"u8, signWith.Name);
            if ((keyId ?? key.KeyId) is { Length: > 0 } kid)
            {
                json.WriteString("kid"u8, kid);
            }

            if (type is not null)
            {
                json.WriteString("typ"u8, type);
            }

            json.WriteEndObject();
        }

        return SignCompact(header.ToArray(), Encoding.UTF8.GetBytes(claimsJson), key, signWith);
    }

    /// <summary>Signs any octets under any header, as they are (RFC 7515 §5.1): so tests can make what a sane signer would not.</summary>
    public static string SignCompact(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, JsonWebKey key, JwsAlgorithm algorithm)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!key.HasPrivateKey)
        {
            throw new ArgumentException("the key has no private half", nameof(key));
        }

        if (!key.Material.Supports(algorithm))
        {
            throw new ArgumentException($"{key.Material.KeyTypeName} key cannot sign with {algorithm.Name}", nameof(algorithm));
        }

        var signingInput = $"{StrictBase64Url.Encode(header)}.{StrictBase64Url.Encode(payload)}";
        return $"{signingInput}.{StrictBase64Url.Encode(key.Material.Sign(algorithm, Encoding.ASCII.GetBytes(signingInput)))}";
    }
}
