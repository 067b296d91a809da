using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Portcullis.Jose.Tests;

public sealed class JsonWebKeySetTests
{
    private const string X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    private const string Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    private const string Ed = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    private const string Secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    private static string Modulus => JsonDocument.Parse(Keys.Of(JwsAlgorithm.RS256).ToJson()).RootElement.GetProperty("n").GetString()!;

    public static TheoryData<JwksStatus, string> BadKeys => new()
    {
        { JwksStatus.KeyTypeMissing, "{}" },
        { JwksStatus.KeyTypeBad, """{"kty":1}""" },
        { JwksStatus.KeyTypeUnsupported, """{"kty":"rsa"}""" },
        { JwksStatus.RsaBadAlgorithm, """{"kty":"RSA","alg":"HS256"}""" },
        { JwksStatus.RsaModulusMissing, """{"kty":"RSA","e":"AQAB"}""" },
        { JwksStatus.RsaModulusBad, """{"kty":"RSA","n":1,"e":"AQAB"}""" },
        { JwksStatus.RsaExponentMissing, """{"kty":"RSA","n":"AQAB"}""" },
        { JwksStatus.RsaExponentBad, """{"kty":"RSA","n":"AQAB","e":3}""" },
        { JwksStatus.RsaParseError, """{"kty":"RSA","n":"","e":"AQAB"}""" },
        { JwksStatus.RsaParseError, """{"kty":"RSA","n":"A=","e":"AQAB"}""" },
        { JwksStatus.RsaParseError, $$"""{"kty":"RSA","n":"{{Modulus}}","e":"AQ"}""" }, // exponent 1: everybody can sign
        { JwksStatus.RsaParseError, $$"""{"kty":"RSA","n":"{{Modulus}}","e":"Ag"}""" },
        { JwksStatus.RsaParseError, $$"""{"kty":"RSA","n":"{{Modulus[..^1]}}A","e":"AQAB"}""" }, // even
        { JwksStatus.RsaTooSmall, """{"kty":"RSA","n":"rJBIp6T1YK-RtPyvYqFFlcucqewSAA_IReSFchE8qyiQrbARqRlXWkB2DR8j_pJQnIpYELbQWZC5Cd0PTGAU8w","e":"AQAB"}""" },
        { JwksStatus.RsaTooLarge, $$"""{"kty":"RSA","n":"{{new string('_', 2732)}}","e":"AQAB"}""" },
        { JwksStatus.ECBadAlgorithm, """{"kty":"EC","alg":"RS256"}""" },
        { JwksStatus.ECCurveBad, """{"kty":"EC","crv":256}""" },
        { JwksStatus.ECCurveUnsupported, """{"kty":"EC","crv":"secp256k1"}""" },
        { JwksStatus.ECCurveUnsupported, """{"kty":"EC","alg":"ES256K"}""" },
        { JwksStatus.ECCurveNotOfAlgorithm, """{"kty":"EC","crv":"P-384","alg":"ES256"}""" },
        { JwksStatus.ECXMissing, """{"kty":"EC"}""" },
        { JwksStatus.ECXBad, """{"kty":"EC","x":1}""" },
        { JwksStatus.ECYMissing, $$"""{"kty":"EC","x":"{{X}}"}""" },
        { JwksStatus.ECYBad, $$"""{"kty":"EC","x":"{{X}}","y":[]}""" },
        { JwksStatus.ECBadBase64, $$"""{"kty":"EC","x":"{{X}}","y":"{{Y}}="}""" },
        { JwksStatus.ECParseError, $$"""{"kty":"EC","x":"{{X}}","y":"{{X}}"}""" },
        { JwksStatus.ECParseError, $$"""{"kty":"EC","x":"","y":"{{Y}}"}""" },
        { JwksStatus.ECParseError, """{"kty":"EC","x":"AA","y":"AA"}""" },
        { JwksStatus.OctBadAlgorithm, """{"kty":"oct","alg":"RS256"}""" },
        { JwksStatus.OctKeyMissing, """{"kty":"oct"}""" },
        { JwksStatus.OctKeyBad, """{"kty":"oct","k":1}""" },
        { JwksStatus.OctBadBase64, """{"kty":"oct","k":""}""" },
        { JwksStatus.OctBadBase64, """{"kty":"oct","k":"a+b/"}""" },
        { JwksStatus.OctTooShort, """{"kty":"oct","k":"c2VjcmV0"}""" },
        { JwksStatus.OctTooShort, $$"""{"kty":"oct","k":"{{Secret[..80]}}","alg":"HS512"}""" },
        { JwksStatus.OkpBadAlgorithm, """{"kty":"OKP","alg":"ES256"}""" },
        { JwksStatus.OkpCurveMissing, """{"kty":"OKP"}""" },
        { JwksStatus.OkpCurveBad, """{"kty":"OKP","crv":1}""" },
        { JwksStatus.OkpCurveUnsupported, """{"kty":"OKP","crv":"X25519"}""" },
        { JwksStatus.OkpXMissing, """{"kty":"OKP","crv":"Ed25519"}""" },
        { JwksStatus.OkpXBad, """{"kty":"OKP","crv":"Ed25519","x":1}""" },
        { JwksStatus.OkpBadBase64, """{"kty":"OKP","crv":"Ed25519","x":"a b"}""" },
        { JwksStatus.OkpWrongLength, """{"kty":"OKP","crv":"Ed25519","x":"AAAA"}""" },
        { JwksStatus.UseNotSignature, $$"""{"kty":"OKP","crv":"Ed25519","x":"{{Ed}}","use":"enc"}""" },
        { JwksStatus.UseNotSignature, $$"""{"kty":"OKP","crv":"Ed25519","x":"{{Ed}}","use":1}""" },
        { JwksStatus.OperationsWithoutVerify, $$"""{"kty":"OKP","crv":"Ed25519","x":"{{Ed}}","key_ops":["sign","encrypt"]}""" },
        { JwksStatus.OperationsWithoutVerify, $$"""{"kty":"OKP","crv":"Ed25519","x":"{{Ed}}","key_ops":"verify"}""" },
    };

    [Theory]
    [MemberData(nameof(BadKeys))]
    public void Parse_OfABadKey_SaysWhatAndKeepsTheGoodOne(JwksStatus expected, string jwk)
    {
        var alone = JsonWebKeySet.Parse($"{{\"keys\":[{jwk},{{}}]}}");
        var both = JsonWebKeySet.Parse($$"""{"keys":[7,{{jwk}},{"kty":"oct","k":"{{Secret}}","kid":"good"}]}""");

        Assert.Equal(expected, alone.Status); // of two bad keys the first is told
        Assert.False(alone.IsUsable);
        Assert.Equal((JwksStatus.Ok, "good"), (both.Status, Assert.Single(both.Keys).KeyId));
        Assert.Equal((1, expected), Assert.Single(both.Rejected) is var r ? (r.Index, r.Reason) : default);
    }

    [Theory]
    [InlineData("", JwksStatus.ParseError)]
    [InlineData("[]", JwksStatus.ParseError)]
    [InlineData("{\"keys\":[]}x", JwksStatus.ParseError)]
    [InlineData("{\"keys\":[],\"keys\":[]}", JwksStatus.ParseError)]
    [InlineData("\uD800", JwksStatus.ParseError)]
    [InlineData("{}", JwksStatus.NoKeys)]
    [InlineData("{\"k1\":\"no certificate\"}", JwksStatus.NoKeys)]
    [InlineData("{\"k1\":1}", JwksStatus.NoKeys)]
    [InlineData("{\"keys\":{}}", JwksStatus.BadKeys)]
    [InlineData("{\"keys\":null}", JwksStatus.BadKeys)]
    [InlineData("{\"keys\":[]}", JwksStatus.NoValidKeys)]
    [InlineData("{\"keys\":[1,\"a\",null,[]]}", JwksStatus.NoValidKeys)]
    [InlineData("{\"k1\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"}", JwksStatus.CertificateParseError)]
    public void Parse_OfABadSet_SaysWhatAndNoTokenPasses(string json, JwksStatus expected)
    {
        var set = JsonWebKeySet.Parse(json);

        Assert.Equal(expected, set.Status);
        Assert.Empty(set.Keys);
        Assert.Equal(JwtStatus.NoValidKeys, Keys.Check(Keys.Sign("""{"alg":"HS256"}""", "{}"), set));
    }

    [Fact]
    public void Parse_OfAMapOfCertificates_TakesTheirRsaKeys()
    {
        using var rsa = RSA.Create();
        rsa.ImportFromPem(Keys.Of(JwsAlgorithm.RS256).ToPem(includePrivate: true));
        var pem = Certificate(new CertificateRequest("CN=a", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var ecPem = Certificate(new CertificateRequest("CN=b", ecdsa, HashAlgorithmName.SHA256));
        var token = Keys.Sign("""{"alg":"RS256","kid":"k1"}""", "{}", JwsAlgorithm.RS256);

        var set = JsonWebKeySet.Parse(new JsonObject { ["k1"] = pem }.ToJsonString());

        Assert.Equal(("k1", null), Assert.Single(set.Keys) is var key ? (key.KeyId, key.Algorithm) : default);
        Assert.Equal(JwtStatus.Ok, Keys.Check(token, set));
        Assert.Equal(JwtStatus.KeyIdAlgorithmMismatch, Keys.Check(token, JsonWebKeySet.Parse(new JsonObject { ["k2"] = pem }.ToJsonString())));
        Assert.Equal(JwksStatus.CertificateKeyError, JsonWebKeySet.Parse(new JsonObject { ["k1"] = pem, ["k2"] = ecPem }.ToJsonString()).Status);
        Assert.Equal(JwksStatus.NoKeys, JsonWebKeySet.Parse(new JsonObject { ["k1"] = pem.TrimEnd() }.ToJsonString()).Status);
    }

    [Theory]
    [InlineData("a", "a", null, JwtStatus.Ok)]
    [InlineData("a", "b", null, JwtStatus.KeyIdAlgorithmMismatch)]
    [InlineData("a", "", null, JwtStatus.Ok)]
    [InlineData("a", null, "HS256", JwtStatus.Ok)]
    [InlineData(null, "b", null, JwtStatus.Ok)]
    [InlineData("", "b", null, JwtStatus.Ok)]
    [InlineData("a", "a", "HS512", JwtStatus.KeyIdAlgorithmMismatch)]
    [InlineData("a", "A", null, JwtStatus.KeyIdAlgorithmMismatch)]
    public void Check_ByKidAndAlg_TriesTheKeysThatFit(string? tokenKid, string? keyKid, string? keyAlg, JwtStatus expected)
    {
        JsonWebKey.TryParse($$"""{"kty":"oct","k":"{{Secret}}"}""", out var key);
        var token = JwtSigner.Sign("{}", key!, JwsAlgorithm.HS256, tokenKid ?? "");
        var jwk = new JsonObject { ["kty"] = "oct", ["k"] = Secret, ["kid"] = keyKid, ["alg"] = keyAlg };

        Assert.Equal(expected, Keys.Check(token, JsonWebKeySet.Parse($"{{\"keys\":[{jwk.ToJsonString()}]}}")));
    }

    [Fact]
    public void Check_WithTwoKeysOfOneKid_TriesBoth()
    {
        var (a, b) = (JsonWebKey.Generate(JwsAlgorithm.ES256, "k"), JsonWebKey.Generate(JwsAlgorithm.ES256, "k"));

        Assert.Equal(JwtStatus.Ok, Keys.Check(JwtSigner.Sign("{}", b), Keys.SetOf(a, b)));
        Assert.Equal(JwtStatus.VerificationFailed, Keys.Check(JwtSigner.Sign("{}", JsonWebKey.Generate(JwsAlgorithm.ES256, "k")), Keys.SetOf(a, b)));
    }

    [Fact]
    public void Parse_OfAnEndlessSet_IsBounded()
    {
        var key = $$"""{"kty":"OKP","crv":"Ed25519","x":"{{Ed}}"}""";
        var set = JsonWebKeySet.Parse($"{{\"keys\":[{string.Join(',', Enumerable.Repeat(key, JsonWebKeySet.MaxKeys + 2))}]}}");

        Assert.Equal((JwksStatus.Ok, JsonWebKeySet.MaxKeys), (set.Status, set.Keys.Length));
        Assert.All(set.Rejected, r => Assert.Equal(JwksStatus.TooManyKeys, r.Reason));
        Assert.Equal(JwksStatus.TooLong, JsonWebKeySet.Parse(new string(' ', JsonWebKeySet.MaxLength + 1)).Status);
    }

    [Fact]
    public void Parse_OfAPrivateKey_LeavesThePrivateHalfOut()
    {
        var set = Keys.SetOf(Keys.Of(JwsAlgorithm.RS256), Keys.Of(JwsAlgorithm.ES256), Keys.Of(JwsAlgorithm.EdDSA));

        Assert.Equal(3, set.Keys.Length);
        Assert.All(set.Keys, k => Assert.False(k.HasPrivateKey));
    }

    [Fact]
    public void Parse_OfAChipsFactorableKey_IsRefused()
    {
        // A modulus that is 65537^k modulo all small primes carries the mark.
        var primorial = new int[] { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167 }
            .Aggregate(System.Numerics.BigInteger.One, (product, p) => product * p);
        var modulus = (primorial * (System.Numerics.BigInteger.One << 2040 - (int)primorial.GetBitLength())) + System.Numerics.BigInteger.ModPow(65537, 12345, primorial);
        modulus += primorial * ((System.Numerics.BigInteger.One << 2048 - (int)primorial.GetBitLength()) - 1);
        var n = System.Buffers.Text.Base64Url.EncodeToString(modulus.ToByteArray(isUnsigned: true, isBigEndian: true));

        var set = JsonWebKeySet.Parse($$"""{"keys":[{"kty":"RSA","n":"{{n}}","e":"AQAB"}]}""");

        Assert.Equal(JwksStatus.RsaFactorable, set.Status);
    }

    private static string Certificate(CertificateRequest request)
    {
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(99));
        return certificate.ExportCertificatePem() + "\n";
    }
}
