using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text.Json;
using NSec.Cryptography;

namespace Portcullis.Jose;

/// <summary>An Ed25519 key (RFC 8037 §2).</summary>
internal sealed class Ed25519Key : KeyMaterial
{
    public const int SignatureSize = 64;
    public const int KeySize = 32;
    public const string Oid = "1.3.101.112";

    private readonly PublicKey _publicKey;
    private readonly byte[]? _seed;

    private Ed25519Key(PublicKey publicKey, byte[]? seed) => (_publicKey, _seed) = (publicKey, seed);

    public override JwkKeyType KeyType => JwkKeyType.Okp;

    public override string KeyTypeName => "OKP";

    public override JwsAlgorithm DefaultAlgorithm => JwsAlgorithm.EdDSA;

    public override bool HasPrivateKey => _seed is not null;

    public static JwksStatus TryCreate(byte[] x, byte[]? seed, out Ed25519Key? key)
    {
        key = null;
        if (x.Length != KeySize || !PublicKey.TryImport(SignatureAlgorithm.Ed25519, x, KeyBlobFormat.RawPublicKey, out var publicKey))
        {
            return JwksStatus.OkpWrongLength;
        }

        if (seed is not null && (FromSeed(seed) is not { } own || !own._publicKey.Equals(publicKey)))
        {
            return JwksStatus.PrivateKeyBad;
        }

        key = new(publicKey!, seed);
        return JwksStatus.Ok;
    }

    public static Ed25519Key? FromSeed(byte[] seed)
    {
        if (seed.Length != KeySize || !Key.TryImport(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey, out var key))
        {
            return null;
        }

        using (key)
        {
            return new(key!.PublicKey, seed);
        }
    }

    public static Ed25519Key Generate() => FromSeed(RandomNumberGenerator.GetBytes(KeySize))!;

    public override bool Supports(JwsAlgorithm algorithm) => algorithm == JwsAlgorithm.EdDSA;

    public override bool Verify(JwsAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature) =>
        SignatureAlgorithm.Ed25519.Verify(_publicKey, data, signature);

    public override byte[] Sign(JwsAlgorithm algorithm, ReadOnlySpan<byte> data)
    {
        using var key = Key.Import(SignatureAlgorithm.Ed25519, _seed, KeyBlobFormat.RawPrivateKey);
        return SignatureAlgorithm.Ed25519.Sign(key, data);
    }

    public override void WriteRequiredMembers(Utf8JsonWriter json)
    {
        json.WriteString("crv"u8, "Ed25519"u8);
        json.WriteString("kty"u8, KeyTypeName);
        json.WriteString("x"u8, StrictBase64Url.Encode(_publicKey.Export(KeyBlobFormat.RawPublicKey)));
    }

    public override void WritePrivateMembers(Utf8JsonWriter json) => json.WriteString("d"u8, StrictBase64Url.Encode(_seed));

    public override KeyMaterial ToPublic() => new Ed25519Key(_publicKey, seed: null);

    public override string ToPem(bool includePrivate)
    {
        if (!includePrivate)
        {
            return PemEncoding.WriteString("PUBLIC KEY", _publicKey.Export(KeyBlobFormat.PkixPublicKey));
        }

        // RFC 8410 §7: the seed is an octet string inside of the key's octet string.
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(Oid);
            }

            using (writer.PushOctetString())
            {
                writer.WriteOctetString(_seed);
            }
        }

        return PemEncoding.WriteString("PRIVATE KEY", writer.Encode());
    }
}
