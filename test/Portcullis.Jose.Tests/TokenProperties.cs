using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Portcullis.Jose.Tests;

public sealed class TokenProperties
{
    private static readonly JsonWebKeySet AllKeys = Keys.SetOf(JwsAlgorithms.All.Select(Keys.Of));

    private static readonly string[] Tokens =
        [.. JwsAlgorithms.All.Select(a => Keys.Sign($$"""{"alg":"{{a.Name}}"}""", """{"iss":"i","sub":"s","exp":9999999999}""", a))];

    [Property(MaxTest = 3000)]
    public bool Check_OfATokenWithOneCharacterChanged_Fails(NonNegativeInt which, NonNegativeInt at, char other)
    {
        var token = Tokens[which.Get % Tokens.Length];
        var index = at.Get % token.Length;
        var changed = $"{token[..index]}{(char)(other % 128)}{token[(index + 1)..]}";

        return changed == token || Keys.Check(changed, AllKeys) != JwtStatus.Ok;
    }

    [Property(MaxTest = 1000)]
    public bool Check_OfATokenWithOneBitOfASegmentFlipped_Fails(NonNegativeInt which, NonNegativeInt at)
    {
        var parts = Tokens[which.Get % Tokens.Length].Split('.');
        var segment = at.Get % 3;
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(parts[segment]);
        bytes[at.Get / 3 / 8 % bytes.Length] ^= (byte)(1 << (at.Get / 3 % 8));
        parts[segment] = System.Buffers.Text.Base64Url.EncodeToString(bytes);

        return Keys.Check(string.Join('.', parts), AllKeys) != JwtStatus.Ok;
    }

    [Property(MaxTest = 2000)]
    public bool Check_OfAnyText_NeverThrows(string? text, byte[] header, byte[] payload)
    {
        var odd = $"{System.Buffers.Text.Base64Url.EncodeToString(header)}.{System.Buffers.Text.Base64Url.EncodeToString(payload)}.{text}";

        return Keys.Check(text ?? "", AllKeys) != JwtStatus.Ok && Keys.Check(odd, AllKeys) != JwtStatus.Ok;
    }

    [Property(MaxTest = 2000)]
    public Property Check_OfOddJson_NeverThrows() => Prop.ForAll(JsonLike().ToArbitrary(), json =>
    {
        JsonWebToken.TryParse(Keys.Sign(json, "{}"), out _);
        JsonWebToken.TryParse(Keys.Sign("""{"alg":"HS256"}""", json), out var jwt);
        jwt?.CheckLifetime(DateTimeOffset.UnixEpoch, TimeSpan.Zero);
        return JsonWebKeySet.Parse(json).Keys.IsDefault || JsonWebKey.TryParse(json, out _) >= 0;
    });

    [Property(MaxTest = 300)]
    public bool Check_OfWhatWasSigned_IsOk(NonNegativeInt which, string? text)
    {
        var algorithm = JwsAlgorithms.All[which.Get % JwsAlgorithms.All.Count];
        var payload = Encoding.UTF8.GetBytes(text ?? "");
        var jws = JwtSigner.SignCompact(Encoding.UTF8.GetBytes($$"""{"alg":"{{algorithm.Name}}"}"""), payload, Keys.Of(algorithm), algorithm);

        return CompactJws.Verify(jws, AllKeys) is { IsValid: true, Reason: "OK" };
    }

    /// <summary>Pieces of tokens and keys in any order: nearer to what a parser falls over than random text.</summary>
    private static Gen<string> JsonLike()
    {
        string[] pieces =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\udc00", "\"alg\"", "\"HS256\"", "\"kty\"", "\"RSA\"", "\"EC\"", "\"OKP\"", "\"oct\"",
            "\"k\"", "\"keys\"", "\"exp\"", "\"aud\"", "\"crv\":\"P-256\"", "\"x\":\"AA\"", "\"y\":\"AA\"", "\"n\":\"AQ\"", "\"e\":\"AQAB\"", "\"d\":\"AQ\"",
            "1e999", "-0", "0.1", "null", "true", "\u0000", "\uFEFF", " ", "é", "\"a\":1",
        ];
        var members = Gen.Elements("\"kty\":\"RSA\"", "\"kty\":\"EC\"", "\"kty\":\"OKP\"", "\"kty\":\"oct\"", "\"n\":\"AQ\"", "\"e\":\"AQAB\"", "\"x\":\"AA\"",
            "\"y\":\"AA\"", "\"crv\":\"P-256\"", "\"crv\":\"Ed25519\"", "\"k\":\"AAAA\"", "\"d\":1", "\"d\":\"AA\"", "\"use\":null", "\"key_ops\":[1]", "\"kid\":{}", "\"alg\":\"ES256\"",
            "\"exp\":1e400", "\"nbf\":-1e400", "\"aud\":[[]]", "\"iss\":\"\\u0000\"");
        return Gen.OneOf(
            Gen.Elements(pieces).ListOf().Select(p => string.Concat(p)),
            members.ListOf().Select(m => $"{{{string.Join(',', m)}}}"),
            members.ListOf().Select(m => $"{{\"keys\":[{{{string.Join(',', m.Distinct())}}}]}}"));
    }
}
