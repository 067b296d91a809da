using System.Text.Json;

namespace Portcullis.Jose.Tests;

/// <summary>The signatures printed in RFC 7515, 7519, 7520 and 8037, the keys of RFC 7517 and the thumbprints of RFC 7638 and 8037.</summary>
public sealed class RfcExampleTests
{
    private const string Rfc7638Key = """
        {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}
        """;

    private const string Rfc8037Key = """{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""";

    public static TheoryData<string, string, string, bool> Examples
    {
        get
        {
            var rows = new TheoryData<string, string, string, bool>();
            foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "rfc-examples.jsonl")))
            {
                using var json = JsonDocument.Parse(line);
                var row = json.RootElement;
                rows.Add(row.GetProperty("id").GetString()!, row.GetProperty("jwks").GetRawText(), row.GetProperty("jws").GetString()!, row.GetProperty("valid").GetBoolean());
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Verify_OfAnRfcsExample_IsAsTheRfcSays(string id, string jwks, string jws, bool valid)
    {
        var result = CompactJws.Verify(jws, JsonWebKeySet.Parse(jwks));

        Assert.True(valid == result.IsValid, $"{id}: {result.Reason}");
    }

    [Theory]
    [InlineData(Rfc7638Key, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")] // RFC 7638 §3.1
    [InlineData(Rfc8037Key, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")] // RFC 8037 A.3
    public void Thumbprint_OfAnRfcsKey_IsTheRfcs(string jwk, string expected)
    {
        Assert.Equal(JwksStatus.Ok, JsonWebKey.TryParse(jwk, out var key));

        Assert.Equal(expected, key!.Thumbprint());
        Assert.Equal(expected, key.ToPublic()!.Thumbprint());
    }

    [Fact]
    public void SignCompact_WithTheKeyOfRfc8037_GivesItsSignature()
    {
        JsonWebKey.TryParse(Rfc8037Key, out var key);

        var jws = JwtSigner.SignCompact("""{"alg":"EdDSA"}"""u8, "Example of Ed25519 signing"u8, key!, JwsAlgorithm.EdDSA);

        Assert.EndsWith(".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", jws, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OfTheSetInRfc7517A1_KeepsTheSigningKeyOnly()
    {
        var set = JsonWebKeySet.Parse($$"""
            {"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},{{Rfc7638Key}}]}
            """);

        Assert.Equal("2011-04-29", Assert.Single(set.Keys).KeyId);
        Assert.Equal([new JwkRejection(0, "1", JwksStatus.UseNotSignature)], set.Rejected);
    }
}
