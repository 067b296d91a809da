using Portcullis.Jose;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>Where tokens are found (authentication.md §6).</summary>
public sealed class TokenExtractionTests
{
    private static readonly TokenIssuer Issuer = new("i1", JwsAlgorithm.ES256);
    private static readonly string Token = Issuer.Mint("alice");

    private static JwtRule Rule => new() { Issuer = "i1", Jwks = Issuer.JwksJson };

    [Theory]
    [InlineData("Bearer T", "alice")]
    [InlineData("Bearer    T", "alice")]
    [InlineData("Basic Bearer T", "alice")] // the prefix may stand anywhere
    [InlineData("bearer T", null)]
    [InlineData("BEARER T", null)]
    [InlineData("Basic dXNlcg==", null)]
    [InlineData("Bearer", null)]
    [InlineData("BearerT", null)]
    [InlineData("", null)]
    public void Authenticate_AuthorizationValue_HasTheTokenOrNone(string value, string? subject)
    {
        var request = new TestRequest("/", "GET", ("Authorization", value.Replace("T", Token, StringComparison.Ordinal)));

        var result = TestPolicies.Stage(Rule).Authenticate(in request, TestPolicies.Now);

        Assert.Equal(JwtStatus.Ok, result.Status);
        Assert.Equal(subject, result.Identity?.Subject);
    }

    [Theory]
    [InlineData("Bearer ???", JwtStatus.BadFormat)] // no character of a token follows: the whole value is taken
    [InlineData("Bearer T1, Bearer T1", JwtStatus.BadFormat)]
    [InlineData("Bearer T1 extra", JwtStatus.SignatureBadBase64)]
    public void Authenticate_AuthorizationValueWithMore_IsRefused(string value, JwtStatus status)
    {
        var request = new TestRequest("/", "GET", ("Authorization", value.Replace("T1", Token, StringComparison.Ordinal)));

        Assert.Equal(status, TestPolicies.Stage(Rule).Authenticate(in request, TestPolicies.Now).Status);
    }

    [Theory]
    [InlineData("x", "GET")]
    [InlineData("", "")]
    public void Authenticate_EmptyPrefix_TakesTheWholeValue(string before, string after)
    {
        var stage = TestPolicies.Stage(Rule with { FromHeaders = TestPolicies.Header("X-Token") });
        var request = new TestRequest("/", "GET", ("x-token", before + Token + after));

        var result = stage.Authenticate(in request, TestPolicies.Now);

        Assert.Equal(before.Length == 0, result.IsAccepted);
    }

    [Theory]
    [InlineData("/p?a=1&t=T", "alice")]
    [InlineData("/p?%74=T", "alice")] // names are decoded
    [InlineData("/p?t=T&t=garbage", "alice")] // only the first of a name counts
    [InlineData("/p?T=T", null)]
    [InlineData("/p?t%=T", null)]
    [InlineData("/p?tt=T", null)]
    [InlineData("/p?x=t=T", null)]
    [InlineData("/p?", null)]
    public void Authenticate_QueryParameter_IsFoundByItsDecodedName(string target, string? subject)
    {
        var stage = TestPolicies.Stage(Rule with { FromParams = ["t"] });
        var request = new TestRequest(target.Replace("=T", $"={Token}", StringComparison.Ordinal));

        var result = stage.Authenticate(in request, TestPolicies.Now);

        Assert.Equal(JwtStatus.Ok, result.Status);
        Assert.Equal(subject, result.Identity?.Subject);
    }

    [Fact]
    public void Authenticate_EscapedTokenInQuery_IsDecoded()
    {
        var stage = TestPolicies.Stage(Rule with { FromParams = ["t"] });
        var request = new TestRequest($"/?t={Token.Replace(".", "%2e", StringComparison.Ordinal)}");

        Assert.Equal("alice", stage.Authenticate(in request, TestPolicies.Now).Identity?.Subject);
    }

    [Theory]
    [InlineData("t")]
    [InlineData("t=")]
    public void Authenticate_EmptyParameter_IsATokenOfWrongFormat(string query)
    {
        var stage = TestPolicies.Stage(Rule with { FromParams = ["t"] });
        var request = new TestRequest($"/p?{query}");

        Assert.Equal(JwtStatus.BadFormat, stage.Authenticate(in request, TestPolicies.Now).Status);
    }

    [Theory]
    [InlineData("sid=T", "alice")]
    [InlineData("a=1;  sid=\"T\"; b=2", "alice")]
    [InlineData("sid=T; sid=garbage", "alice")]
    [InlineData("SID=T", null)]
    [InlineData("sid", null)]
    [InlineData("xsid=T", null)]
    public void Authenticate_Cookie_IsFoundByItsName(string cookie, string? subject)
    {
        var stage = TestPolicies.Stage(Rule with { FromCookies = ["sid"] });
        var request = new TestRequest("/", "GET", ("cookie", "first=1"), ("Cookie", cookie.Replace("T", Token, StringComparison.Ordinal)));

        var result = stage.Authenticate(in request, TestPolicies.Now);

        Assert.Equal(JwtStatus.Ok, result.Status);
        Assert.Equal(subject, result.Identity?.Subject);
    }

    [Fact]
    public void Authenticate_TokensInAllPlaces_KeepsTheClaimsOfTheFirstHeader()
    {
        var stage = TestPolicies.Stage(Rule with { FromHeaders = [new("x-b", ""), new("x-a", "")], FromParams = ["t"], FromCookies = ["c"] });
        var request = new TestRequest(
            $"/?t={Issuer.Mint("param")}", "GET", ("cookie", $"c={Issuer.Mint("cookie")}"), ("x-b", Issuer.Mint("b")), ("x-a", Issuer.Mint("a")));

        Assert.Equal("a", stage.Authenticate(in request, TestPolicies.Now).Identity?.Subject);
    }

    [Fact]
    public void Authenticate_ManyLinesOfWhichOneIsBad_IsRefused()
    {
        var request = new TestRequest("/", "GET", [.. Enumerable.Range(0, 20).Select(i => ("authorization", $"Bearer {(i == 7 ? "a.b.c" : Token)}"))]);

        Assert.Equal(JwtStatus.HeaderBadBase64, TestPolicies.Stage(Rule).Authenticate(in request, TestPolicies.Now).Status);
    }

    [Theory]
    [InlineData(-60, 0, JwtStatus.Ok)]
    [InlineData(-61, 0, JwtStatus.Expired)]
    [InlineData(100, 60, JwtStatus.Ok)]
    [InlineData(100, 61, JwtStatus.NotYetValid)]
    public void Authenticate_AtTheEdgeOfItsLifetime_AllowsSixtySecondsEitherWay(int expires, int notBefore, JwtStatus status)
    {
        var now = TestPolicies.Now.ToUnixTimeSeconds();
        var request = TestRequest.WithBearer(Issuer.Mint(("exp", now + expires), ("nbf", now + notBefore)));

        Assert.Equal(status, TestPolicies.Stage(Rule).Authenticate(in request, TestPolicies.Now).Status);
    }

    [Theory]
    [InlineData("https://api.example.com/", "api.example.com", true)]
    [InlineData("http://api.example.com", "https://api.example.com/", true)]
    [InlineData("api.example.com//", "api.example.com/", false)] // one slash only: they clean to `api.example.com/` and `api.example.com`
    [InlineData("HTTPS://api.example.com", "api.example.com", false)]
    [InlineData("api.example.com", "API.example.com", false)]
    public void Authenticate_Audience_IsCleanedOnBothSides(string allowed, string audience, bool accepted)
    {
        var request = TestRequest.WithBearer(Issuer.Mint(("aud", audience)));

        var result = TestPolicies.Stage(Rule with { Audiences = ["other", allowed] }).Authenticate(in request, TestPolicies.Now);

        Assert.Equal(accepted ? JwtStatus.Ok : JwtStatus.AudienceNotAllowed, result.Status);
    }
}
