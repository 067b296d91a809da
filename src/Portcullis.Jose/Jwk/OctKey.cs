using System.Security.Cryptography;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>A shared secret (RFC 7518 §6.4): all of it is private, and it is never used with anything but HMAC.</summary>
internal sealed class OctKey(byte[] secret) : KeyMaterial
{
    public override JwkKeyType KeyType => JwkKeyType.Oct;

    public override string KeyTypeName => "oct";

    public override JwsAlgorithm DefaultAlgorithm => secret.Length switch
    {
        >= 64 => JwsAlgorithm.HS512,
        >= 48 => JwsAlgorithm.HS384,
        _ => JwsAlgorithm.HS256,
    };

    public override bool HasPrivateKey => true;

    public static JwksStatus TryCreate(byte[] secret, string? algorithm, out OctKey? key)
    {
        var needed = JwsAlgorithms.TryParse(algorithm, out var hmac) ? HashSize(hmac) : SHA256.HashSizeInBytes;
        key = secret.Length < needed ? null : new(secret);
        return key is null ? JwksStatus.OctTooShort : JwksStatus.Ok;
    }

    public override bool Supports(JwsAlgorithm algorithm) => algorithm.IsHmac && secret.Length >= HashSize(algorithm);

    public override bool Verify(JwsAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        Span<byte> expected = stackalloc byte[SHA512.HashSizeInBytes];
        expected = expected[..Hash(algorithm, data, expected)];
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }

    public override byte[] Sign(JwsAlgorithm algorithm, ReadOnlySpan<byte> data)
    {
        Span<byte> mac = stackalloc byte[SHA512.HashSizeInBytes];
        return mac[..Hash(algorithm, data, mac)].ToArray();
    }

    public override void WriteRequiredMembers(Utf8JsonWriter json)
    {
        json.WriteString("k"u8, StrictBase64Url.Encode(secret));
        json.WriteString("kty"u8, KeyTypeName);
    }

    public override void WritePrivateMembers(Utf8JsonWriter json)
    {
    }

    public override KeyMaterial? ToPublic() => null;

    public override string? ToPem(bool includePrivate) => null;

    private static int HashSize(JwsAlgorithm algorithm) => algorithm switch
    {
        JwsAlgorithm.HS512 => SHA512.HashSizeInBytes,
        JwsAlgorithm.HS384 => SHA384.HashSizeInBytes,
        _ => SHA256.HashSizeInBytes,
    };

    private int Hash(JwsAlgorithm algorithm, ReadOnlySpan<byte> data, Span<byte> destination) => algorithm switch
    {
        JwsAlgorithm.HS512 => HMACSHA512.HashData(secret, data, destination),
        JwsAlgorithm.HS384 => HMACSHA384.HashData(secret, data, destination),
        _ => HMACSHA256.HashData(secret, data, destination),
    };
}
