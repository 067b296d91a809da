using System.Security.Cryptography;

namespace Portcullis.Jose.Tests;

public sealed class PemTests
{
    public static TheoryData<JwsAlgorithm> KeyPairs =>
        [JwsAlgorithm.RS256, JwsAlgorithm.ES256, JwsAlgorithm.ES384, JwsAlgorithm.ES512, JwsAlgorithm.EdDSA];

    [Theory]
    [MemberData(nameof(KeyPairs))]
    public void TryFromPem_OfWhatToPemWrote_IsTheSameKey(JwsAlgorithm algorithm)
    {
        var key = Keys.Of(algorithm);

        Assert.True(JsonWebKey.TryFromPem(key.ToPem(includePrivate: true)!, out var restored, out _));
        Assert.True(JsonWebKey.TryFromPem(key.ToPem()!, out var published, out _));

        Assert.Equal(key.With().ToJson(includePrivate: true), restored!.With(key.KeyId, key.Algorithm, key.Use).ToJson(includePrivate: true));
        Assert.Equal((true, false), (restored.HasPrivateKey, published!.HasPrivateKey));
        Assert.Equal(key.Thumbprint(), published.Thumbprint());
        Assert.Equal(JwtStatus.Ok, Keys.Check(JwtSigner.Sign("{}", restored), Keys.SetOf(published)));
    }

    [Theory]
    [MemberData(nameof(KeyPairs))]
    public void TryParse_OfWhatToJsonWrote_IsTheSameKey(JwsAlgorithm algorithm)
    {
        var json = Keys.Of(algorithm).ToJson(includePrivate: true);

        Assert.Equal(JwksStatus.Ok, JsonWebKey.TryParse(json, out var key));

        Assert.Equal(json, key!.ToJson(includePrivate: true));
        Assert.DoesNotContain("\"d\"", key.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("\"d\"", key.ToPublic()!.ToJson(includePrivate: true), StringComparison.Ordinal);
        Assert.EndsWith($"key `key-{algorithm.Name}`", key.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TryFromPem_OfTheOlderForms_ReadsThem()
    {
        using var rsa = RSA.Create(2048);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        foreach (var pem in (string[])[rsa.ExportRSAPrivateKeyPem(), rsa.ExportRSAPublicKeyPem(), "text\n" + ecdsa.ExportECPrivateKeyPem() + "\nmore"])
        {
            Assert.True(JsonWebKey.TryFromPem(pem, out _, out var error), error);
        }
    }

    [Fact]
    public void TryFromPem_OfAKeyThatCannotBeUsed_SaysWhy()
    {
        using var small = RSA.Create(1024);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var parameters = ECParameters();
        var encrypted = ecdsa.ExportEncryptedPkcs8PrivateKeyPem("password", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1));

        Assert.Equal("Jwks RSA key has fewer than 2048 bits", ErrorOf(small.ExportRSAPublicKeyPem()));
        Assert.StartsWith("the private key is encrypted: ", ErrorOf(encrypted), StringComparison.Ordinal);
        Assert.StartsWith("no PEM block", ErrorOf("garbage"), StringComparison.Ordinal);
        Assert.StartsWith("no PEM block", ErrorOf(""), StringComparison.Ordinal);
        Assert.Equal("PEM pubkey parse fails", ErrorOf(parameters));
        Assert.Equal("PEM pubkey parse fails", ErrorOf("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"));
        Assert.Equal("X509 parse pubkey fails", ErrorOf("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"));

        static string ECParameters() => "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----";
    }

    [Fact]
    public void TryFromPem_OfACurveThatThePlatformDoesNotKnow_SaysSo()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = ecdsa.ExportSubjectPublicKeyInfo();
        var oid = der.AsSpan().IndexOf(Convert.FromHexString("2A8648CE3D030107"));
        der[oid + 5] = 9; // 1.2.840.10045.9.1.7 is nobody's

        Assert.Equal(JwksStatus.ECCurveUnsupported.Message, ErrorOf(new string(PemEncoding.Write("PUBLIC KEY", der))));
    }

    [Theory]
    [InlineData(JwsAlgorithm.RS256, "RS256")]
    [InlineData(JwsAlgorithm.ES256, "ES256")]
    [InlineData(JwsAlgorithm.EdDSA, "EdDSA")]
    public void TryParse_OfThePrivateHalfOfAnotherKey_IsRefused(JwsAlgorithm algorithm, string name)
    {
        var (one, other) = (JsonWebKey.Generate(algorithm, "k").ToJson(includePrivate: true), JsonWebKey.Generate(algorithm, "k").ToJson(includePrivate: true));
        var publicMember = name == "RS256" ? "\"n\"" : "\"x\"";
        var mixed = Replace(one, publicMember, ValueOf(other, publicMember));
        mixed = name == "ES256" ? Replace(mixed, "\"y\"", ValueOf(other, "\"y\"")) : mixed;

        Assert.Equal(JwksStatus.PrivateKeyBad, JsonWebKey.TryParse(mixed, out _));

        static string ValueOf(string json, string member)
        {
            var start = json.IndexOf(member, StringComparison.Ordinal) + member.Length + 2;
            return json[start..json.IndexOf('"', start)];
        }

        static string Replace(string json, string member, string value) => json.Replace(ValueOf(json, member), value, StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_OfASharedSecret_OnlyComesWithItsSecret()
    {
        var key = Keys.Of(JwsAlgorithm.HS256);

        Assert.Throws<InvalidOperationException>(() => key.ToJson());
        Assert.Null(key.ToPublic());
        Assert.Null(key.ToPem());
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(2047)]
    public void Generate_OfAnotherSize_Throws(int bits) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => JsonWebKey.Generate(JwsAlgorithm.RS256, rsaBits: bits));

    private static string? ErrorOf(string pem)
    {
        Assert.False(JsonWebKey.TryFromPem(pem, out var key, out var error));
        Assert.Null(key);
        return error;
    }
}
