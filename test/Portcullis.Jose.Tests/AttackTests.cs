using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Portcullis.Jose.Tests;

/// <summary>What has broken verifiers before.</summary>
public sealed class AttackTests
{
    private const string Claims = """{"iss":"i","sub":"admin"}""";

    private static readonly JsonWebKeySet AllKeys = Keys.SetOf(JwsAlgorithms.All.Select(Keys.Of));

    public static TheoryData<JwsAlgorithm> Algorithms => [.. JwsAlgorithms.All];

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("NONE")]
    [InlineData("nOnE")]
    [InlineData("")]
    [InlineData(" none")]
    [InlineData("none\\u0000")]
    [InlineData("HS256 ")]
    [InlineData("HS256\\u0000none")]
    public void Check_OfATokenWithoutAlgorithm_IsRefused(string algorithm)
    {
        var unsigned = $"{Keys.Encode($$"""{"alg":"{{algorithm}}"}""")}.{Keys.Encode(Claims)}.";

        Assert.Equal(JwtStatus.BadFormat, Keys.Check(unsigned, AllKeys));
        Assert.Equal(JwtStatus.HeaderUnsupportedAlgorithm, Keys.Check(unsigned + "AAAA", AllKeys));
    }

    [Theory]
    [InlineData(JwsAlgorithm.RS256)]
    [InlineData(JwsAlgorithm.ES256)]
    [InlineData(JwsAlgorithm.EdDSA)]
    public void Check_OfAnHmacWithThePublicKeyAsSecret_IsRefused(JwsAlgorithm algorithm)
    {
        var key = Keys.Of(algorithm);
        var withoutAlg = JsonWebKeySet.Parse($"{{\"keys\":[{key.ToJson().Replace($"\"alg\":\"{algorithm.Name}\",", "", StringComparison.Ordinal)}]}}");
        var input = $"{Keys.Encode($$"""{"alg":"HS256","kid":"{{key.KeyId}}"}""")}.{Keys.Encode(Claims)}";
        foreach (var secret in (string[])[key.ToPem()!, key.ToPem()! + "\n", key.ToJson()])
        {
            var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(input));

            Assert.Null(Assert.Single(withoutAlg.Keys).Algorithm);
            Assert.Equal(JwtStatus.VerificationFailed, Keys.Check($"{input}.{Base64Url.EncodeToString(mac)}", withoutAlg));
        }
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Check_WithAKeyOfAnotherKind_FailsAndNeverThrows(JwsAlgorithm algorithm)
    {
        var token = Keys.Sign($$"""{"alg":"{{algorithm.Name}}"}""", Claims, algorithm);
        foreach (var other in JwsAlgorithms.All.Where(a => a != algorithm))
        {
            var json = Keys.Of(other).ToJson(includePrivate: true).Replace($"\"alg\":\"{other.Name}\",", "", StringComparison.Ordinal);

            Assert.Equal(JwtStatus.VerificationFailed, Keys.Check(token, JsonWebKeySet.Parse($"{{\"keys\":[{json}]}}")));
        }
    }

    [Theory]
    [InlineData("jwk")]
    [InlineData("jku")]
    [InlineData("x5u")]
    [InlineData("x5c")]
    public void Check_OfATokenThatBringsItsOwnKey_IsRefused(string member)
    {
        var own = JsonWebKey.Generate(JwsAlgorithm.ES256, "own");
        var value = member switch { "jwk" => own.ToJson(), "x5c" => "[\"MIIB\"]", _ => "\"https://attacker.example/keys\"" };
        var header = $$"""{"alg":"ES256","{{member}}":{{value}}}""";
        var token = JwtSigner.SignCompact(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(Claims), own, JwsAlgorithm.ES256);

        Assert.Equal(JwtStatus.VerificationFailed, Keys.Check(token, AllKeys));
    }

    [Theory]
    [InlineData("""["exp"]""")]
    [InlineData("""["b64"],"b64":false""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"exp\"")]
    public void Check_OfACriticalHeader_FailsThoughTheSignatureIsGood(string crit)
    {
        var token = Keys.Sign($$"""{"alg":"HS256","crit":{{crit}}}""", Claims);

        Assert.Equal(JwtStatus.VerificationFailed, Keys.Check(token, AllKeys));
        Assert.Equal((false, "header [crit] asks for an extension that is not supported"), (CompactJws.Verify(token, AllKeys) is var (ok, why)) ? (ok, why) : default);
    }

    [Theory]
    [InlineData(JwsAlgorithm.ES256, 64)]
    [InlineData(JwsAlgorithm.ES384, 96)]
    [InlineData(JwsAlgorithm.ES512, 132)]
    public void Check_OfAPsychicSignature_IsRefused(JwsAlgorithm algorithm, int length)
    {
        var input = Keys.Sign($$"""{"alg":"{{algorithm.Name}}"}""", Claims, algorithm);
        input = input[..input.LastIndexOf('.')];
        var ones = new byte[length];
        ones[(length / 2) - 1] = ones[^1] = 1;
        foreach (var signature in (byte[][])[new byte[length], ones, [.. Enumerable.Repeat((byte)0xFF, length)]])
        {
            Assert.Equal(JwtStatus.VerificationFailed, Keys.Check($"{input}.{Base64Url.EncodeToString(signature)}", AllKeys));
        }
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Check_OfASignatureOfAnotherLength_IsRefused(JwsAlgorithm algorithm)
    {
        var token = Keys.Sign($$"""{"alg":"{{algorithm.Name}}"}""", Claims, algorithm);
        var input = token[..token.LastIndexOf('.')];
        var signature = Base64Url.DecodeFromChars(token.AsSpan(input.Length + 1));
        var expected = algorithm == JwsAlgorithm.EdDSA ? JwtStatus.Ed25519SignatureWrongLength : JwtStatus.VerificationFailed;
        foreach (var other in (byte[][])[[0], signature[1..], signature[..^1], [0, .. signature], [.. signature, 0], [.. signature, .. signature], new byte[20_000]])
        {
            Assert.Equal(expected, Keys.Check($"{input}.{Base64Url.EncodeToString(other)}", AllKeys));
        }
    }

    [Theory]
    [InlineData(JwsAlgorithm.ES256)]
    public void Check_OfADerSignature_IsRefused(JwsAlgorithm algorithm)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.True(JsonWebKey.TryFromPem(ecdsa.ExportSubjectPublicKeyInfoPem(), out var key, out _));
        var input = $"{Keys.Encode($$"""{"alg":"{{algorithm.Name}}"}""")}.{Keys.Encode(Claims)}";
        var der = ecdsa.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

        Assert.Equal(JwtStatus.VerificationFailed, Keys.Check($"{input}.{Base64Url.EncodeToString(der)}", Keys.SetOf(key!)));
    }

    [Fact]
    public void Check_OfAnotherSpellingOfTheSameSignature_IsRefused()
    {
        var token = Keys.Sign("""{"alg":"HS256"}""", Claims); // 32 bytes: the last character has two unused bits
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var last = Alphabet.IndexOf(token[^1], StringComparison.Ordinal);

        Assert.Equal(JwtStatus.Ok, Keys.Check(token, AllKeys));
        foreach (var unused in (int[])[1, 2, 3])
        {
            Assert.Equal(JwtStatus.SignatureBadBase64, Keys.Check(token[..^1] + Alphabet[last | unused], AllKeys));
        }

        foreach (var space in (string[])[" ", "\n", "\t", "\r\n", "=", "\0", "\u2003"])
        {
            Assert.Equal(JwtStatus.SignatureBadBase64, Keys.Check(token + space, AllKeys));
            Assert.Equal(JwtStatus.HeaderBadBase64, Keys.Check(space + token, AllKeys));
        }
    }

    [Theory]
    [InlineData("""{"alg":"HS256","alg":"HS256"}""")]
    [InlineData("""{"alg":"HS256","\u0061lg":"none"}""")] // the same name, spelt with an escape
    [InlineData("""{"alg":"HS256","x":{"a":1,"a":2}}""")]
    [InlineData("""{"alg":"HS256"}{}""")]
    [InlineData("""{"alg":"HS256"},""")]
    [InlineData("""{"alg":"HS256",}""")]
    [InlineData("""{"alg":"HS256"/**/}""")]
    [InlineData("\uFEFF{\"alg\":\"HS256\"}")]
    [InlineData("""{"alg":"HS256","x":"\ud800"}""")]
    [InlineData("""{"alg":"HS256","x":"\udc00\ud800"}""")]
    [InlineData("""{"alg":"HS256","\ud800\u0041":1}""")]
    [InlineData("""{"alg":"HS256","x":01}""")]
    [InlineData("""{"alg":"HS256","x":NaN}""")]
    [InlineData("{'alg':'HS256'}")]
    public void TryParse_OfJsonThatReadersReadDifferently_IsRefused(string header)
    {
        Assert.Equal(JwtStatus.HeaderBadJson, JsonWebToken.TryParse(Keys.Sign(header, "{}"), out _));
        Assert.Equal(JwtStatus.PayloadBadJson, JsonWebToken.TryParse(Keys.Sign("""{"alg":"HS256"}""", header), out _));
    }

    [Theory]
    [InlineData("""{"x":"\ud83d\ude00","y":"\\ud800","z":"\n\u0000"}""")]
    [InlineData("""{"x":123456789012345678901234567890123456789012345678901234567890,"y":1e999999,"z":-1E-999}""")]
    public void TryParse_OfOddButSoundJson_IsOk(string payload) =>
        Assert.Equal(JwtStatus.Ok, JsonWebToken.TryParse(Keys.Sign("""{"alg":"HS256"}""", payload), out _));

    [Fact]
    public void TryParse_OfInvalidUtf8_IsRefused()
    {
        foreach (var bytes in (byte[][])[[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]])
        {
            byte[] payload = [.. "{\"x\":\""u8, .. bytes, .. "\"}"u8];

            Assert.Equal(JwtStatus.PayloadBadJson, JsonWebToken.TryParse(Keys.Sign("""{"alg":"HS256"}"""u8.ToArray(), payload), out _));
        }
    }

    [Theory]
    [InlineData(63, JwtStatus.Ok)]
    [InlineData(64, JwtStatus.PayloadBadJson)]
    [InlineData(20_000, JwtStatus.PayloadBadJson)]
    public void TryParse_OfNestedJson_StopsAtItsDepth(int depth, JwtStatus expected)
    {
        var payload = $$"""{"x":{{new string('[', depth)}}{{new string(']', depth)}}}""";

        Assert.Equal(expected, JsonWebToken.TryParse(Keys.Sign("""{"alg":"HS256"}""", payload), out _));
    }

    [Fact]
    public void Check_WithoutKidAgainstAHugeSet_TriesBoundedlyMany()
    {
        var keys = Enumerable.Range(0, 100).Select(i => JsonWebKey.Generate(JwsAlgorithm.ES256, $"k{i}")).ToArray();
        var set = Keys.SetOf(keys);
        var last = keys[^1];

        Assert.Equal(JwtStatus.Ok, Keys.Check(JwtSigner.Sign(Claims, last), set));
        Assert.Equal(JwtStatus.VerificationFailed, Keys.Check(JwtSigner.Sign(Claims, last, keyId: ""), set));
        Assert.Equal(JwtStatus.Ok, Keys.Check(JwtSigner.Sign(Claims, keys[MaxKeysTried - 1], keyId: ""), set));
    }

    private const int MaxKeysTried = 64;
}
