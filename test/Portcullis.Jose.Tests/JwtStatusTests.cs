namespace Portcullis.Jose.Tests;

/// <summary>Each row of the check order, each text to the byte, and what comes first when two things are wrong.</summary>
public sealed class JwtStatusTests
{
    private const string Header = """{"alg":"HS256"}""";

    public static TheoryData<JwtStatus, string, string> BadParts => new()
    {
        { JwtStatus.HeaderBadJson, "[]", "{}" },
        { JwtStatus.HeaderBadJson, "nope", "{}" },
        { JwtStatus.HeaderBadAlgorithm, "{}", "{}" },
        { JwtStatus.HeaderBadAlgorithm, """{"alg":256}""", "{}" },
        { JwtStatus.HeaderBadAlgorithm, """{"alg":null}""", "{}" },
        { JwtStatus.HeaderUnsupportedAlgorithm, """{"alg":""}""", "{}" },
        { JwtStatus.HeaderUnsupportedAlgorithm, """{"alg":"ES256K"}""", "{}" },
        { JwtStatus.HeaderUnsupportedAlgorithm, """{"alg":"hs256","kid":1}""", "[]" },
        { JwtStatus.HeaderBadKeyId, """{"alg":"HS256","kid":1}""", "[]" },
        { JwtStatus.HeaderBadKeyId, """{"alg":"HS256","kid":null}""", "{}" },
        { JwtStatus.PayloadBadJson, Header, "[]" },
        { JwtStatus.PayloadBadJson, Header, "null" },
        { JwtStatus.PayloadBadJson, Header, "{} " + "{}" },
        { JwtStatus.IssuerNotString, Header, """{"iss":1,"sub":2,"exp":"x"}""" },
        { JwtStatus.IssuerNotString, Header, """{"iss":null}""" },
        { JwtStatus.SubjectNotString, Header, """{"sub":["a"],"iat":"x"}""" },
        { JwtStatus.IssuedAtNotInteger, Header, """{"exp":"1","nbf":"1","iat":"1"}""" },
        { JwtStatus.IssuedAtOutOfRange, Header, """{"iat":-1}""" },
        { JwtStatus.NotBeforeNotInteger, Header, """{"exp":"1","nbf":true}""" },
        { JwtStatus.NotBeforeOutOfRange, Header, """{"nbf":18446744073709551616}""" },
        { JwtStatus.ExpirationNotInteger, Header, """{"exp":"123","jti":1}""" },
        { JwtStatus.ExpirationNotInteger, Header, """{"exp":null}""" },
        { JwtStatus.ExpirationOutOfRange, Header, """{"exp":-0.5}""" },
        { JwtStatus.ExpirationOutOfRange, Header, """{"exp":1e400}""" },
        { JwtStatus.JwtIdNotString, Header, """{"jti":1,"aud":1}""" },
        { JwtStatus.AudienceNotString, Header, """{"aud":1}""" },
        { JwtStatus.AudienceNotString, Header, """{"aud":null}""" },
        { JwtStatus.AudienceNotString, Header, """{"aud":["a",1]}""" },
        { JwtStatus.AudienceNotString, Header, """{"aud":{"a":1}}""" },
    };

    [Theory]
    [MemberData(nameof(BadParts))]
    public void TryParse_OfABadPart_NamesTheFirst(JwtStatus expected, string header, string payload)
    {
        Assert.Equal(expected, JsonWebToken.TryParse(Keys.Sign(header, payload), out var jwt));
        Assert.Null(jwt);
    }

    [Theory]
    [InlineData("")]
    [InlineData("invalidToken")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d")]
    [InlineData("..")]
    [InlineData("a..c")]
    [InlineData(".b.c")]
    [InlineData("a.b.")]
    [InlineData("a.b.c.")] // Envoy ignores empty pieces; we do not
    [InlineData(".a.b.c")]
    public void TryParse_OfOtherThanThreeSegments_IsBadFormat(string token) =>
        Assert.Equal(JwtStatus.BadFormat, JsonWebToken.TryParse(token, out _));

    [Fact]
    public void TryParse_OfAnEndlessToken_IsBadFormat()
    {
        var longest = Keys.Sign(Header, $$"""{"x":"{{new string('a', 48_000)}}"}""");

        Assert.Equal(JwtStatus.Ok, JsonWebToken.TryParse(longest, out _));
        Assert.Equal(JwtStatus.BadFormat, JsonWebToken.TryParse(longest.PadRight(JsonWebToken.MaxLength + 1, 'A'), out _));
    }

    [Fact]
    public void TryParse_OfASegmentThatIsNoBase64Url_NamesTheSegment()
    {
        var parts = Keys.Sign(Header, "{}").Split('.');

        Assert.Equal(JwtStatus.HeaderBadBase64, JsonWebToken.TryParse($"{parts[0]}=.{parts[1]}.!", out _));
        Assert.Equal(JwtStatus.PayloadBadBase64, JsonWebToken.TryParse($"{parts[0]}.{parts[1]}+.!", out _));
        Assert.Equal(JwtStatus.SignatureBadBase64, JsonWebToken.TryParse($"{parts[0]}.{parts[1]}.{parts[2]}=", out _));
        Assert.Equal(JwtStatus.SignatureBadBase64, JsonWebToken.TryParse($"{parts[0]}.{parts[1]}.é", out _));
    }

    [Fact]
    public void TryParse_OfAGoodToken_ReadsItsClaims()
    {
        var payload = """{"iss":"i","sub":"s","jti":"j","aud":["a","b"],"exp":3.9,"nbf":2,"iat":18446744073709549568,"typ":1}""";
        var token = Keys.Sign("""{"alg":"HS256","kid":"k","typ":5,"x":{"y":[1]}}""", payload);

        Assert.Equal(JwtStatus.Ok, JsonWebToken.TryParse(token, out var jwt));

        Assert.Equal(("i", "s", "j", "k", null), (jwt!.Issuer, jwt.Subject, jwt.JwtId, jwt.KeyId, jwt.Type));
        Assert.Equal(["a", "b"], jwt.Audiences);
        Assert.Equal((3UL, 2UL, 18446744073709549568UL), (jwt.ExpiresAt, jwt.NotBefore, jwt.IssuedAt));
        Assert.Equal((payload, token.Split('.')[1]), (jwt.Payload.GetRawText(), jwt.PayloadSegment));
        Assert.DoesNotContain(jwt.PayloadSegment, jwt.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_OfAnEmptyPayload_HasNothingAndNeverExpires()
    {
        JsonWebToken.TryParse(Keys.Sign(Header, "{}"), out var jwt);

        Assert.Null(jwt!.Issuer);
        Assert.Empty(jwt.Audiences);
        Assert.Equal(JwtStatus.Ok, jwt.CheckLifetime(DateTimeOffset.MaxValue, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("""{"exp":1000}""", 1060, JwtStatus.Ok)]
    [InlineData("""{"exp":1000}""", 1061, JwtStatus.Expired)]
    [InlineData("""{"nbf":1000}""", 940, JwtStatus.Ok)]
    [InlineData("""{"nbf":1000}""", 939, JwtStatus.NotYetValid)]
    [InlineData("""{"nbf":1000,"exp":1}""", 900, JwtStatus.NotYetValid)] // nbf comes first
    [InlineData("""{"exp":0}""", 99999999999, JwtStatus.Ok)]
    [InlineData("""{"exp":0.9}""", 99999999999, JwtStatus.Ok)]
    [InlineData("""{"exp":1000.9}""", 1061, JwtStatus.Expired)]
    [InlineData("""{"exp":18446744073709549568}""", 99999999999, JwtStatus.Ok)]
    [InlineData("""{"nbf":18446744073709549568}""", 99999999999, JwtStatus.NotYetValid)]
    [InlineData("""{"exp":1}""", -100, JwtStatus.Ok)]
    [InlineData("""{"iat":99999999999}""", 1000, JwtStatus.Ok)]
    public void CheckLifetime_AtItsEnds_AllowsTheSkewAndNoSecondMore(string payload, long now, JwtStatus expected)
    {
        JsonWebToken.TryParse(Keys.Sign(Header, payload), out var jwt);

        Assert.Equal(expected, jwt!.CheckLifetime(DateTimeOffset.FromUnixTimeSeconds(now).AddMilliseconds(999), TimeSpan.FromSeconds(60)));
    }

    [Theory]
    [InlineData(JwtStatus.BadFormat, "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")] // 79 bytes, the guide's content-length
    [InlineData(JwtStatus.HeaderBadBase64, "Jwt header is an invalid Base64url encoded")]
    [InlineData(JwtStatus.HeaderBadAlgorithm, "Jwt header [alg] field is required and must be a string")]
    [InlineData(JwtStatus.Expired, "Jwt is expired")]
    [InlineData(JwtStatus.NotYetValid, "Jwt not yet valid")]
    [InlineData(JwtStatus.UnknownIssuer, "Jwt issuer is not configured")]
    [InlineData(JwtStatus.ExpirationOutOfRange, "Jwt payload [exp] field is not a positive 64 bit integer")]
    [InlineData(JwtStatus.KeyIdAlgorithmMismatch, "Jwks doesn't have key to match kid or alg from Jwt")]
    [InlineData(JwtStatus.Ed25519SignatureWrongLength, "Jwt ED25519 signature is wrong length")]
    [InlineData(JwtStatus.FetchFailed, "Jwks remote fetch is failed")]
    public void Message_OfAStatus_IsEnvoys(JwtStatus status, string expected) => Assert.Equal(expected, status.Message);

    [Fact]
    public void Messages_OfAllStatuses_AreThereAndDiffer()
    {
        Assert.Equal(79, JwtStatus.BadFormat.Message.Length);
        Assert.Distinct(Enum.GetValues<JwtStatus>().Select(s => s.Message));
        Assert.Distinct(Enum.GetValues<JwksStatus>().Select(s => s.Message));
        Assert.Equal([JwtStatus.AudienceNotAllowed], Enum.GetValues<JwtStatus>().Where(s => s.HttpStatusCode != 401));
        Assert.Equal(403, JwtStatus.AudienceNotAllowed.HttpStatusCode);
    }

    [Theory]
    [InlineData("https://api.example.com/", "api.example.com", true)]
    [InlineData("api.example.com", "http://api.example.com", true)]
    [InlineData("api.example.com//", "https://api.example.com//", true)]
    [InlineData("api.example.com//", "api.example.com", false)]
    [InlineData("HTTP://api.example.com", "api.example.com", false)]
    [InlineData("http://https://a", "a", false)]
    [InlineData("http://https://a", "https://a", false)] // cleaned once on both sides: `https://a` and `a`
    [InlineData("a", "A", false)]
    [InlineData("a", null, false)]
    public void Accepts_OfOneAudience_ComparesCleaned(string allowed, string? given, bool expected) =>
        Assert.Equal(expected, new AudienceSet([allowed]).Accepts(given is null ? [] : ["other", given]));

    [Fact]
    public void Accepts_WithNothingConfigured_IsTrue() => Assert.True(new AudienceSet([]).Accepts([]));
}
