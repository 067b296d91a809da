using System.Text.Json.Nodes;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>What is handed on of a verified token, and what is taken away (authentication.md §10).</summary>
public sealed class OutputHeaderTests
{
    private static readonly TokenIssuer Issuer = new("i1", JwsAlgorithm.ES256);

    private static JwtRule Rule => new() { Issuer = "i1", Jwks = Issuer.JwksJson };

    [Theory]
    [InlineData("\"text\"", "text")]
    [InlineData("\"é 漢\"", "é 漢")]
    [InlineData("\"\"", null)]
    [InlineData("\"a\\r\\nb\"", null)]
    [InlineData("\"a\\nb\"", null)]
    [InlineData("\"a\\u0000b\"", null)]
    [InlineData("null", null)]
    [InlineData("true", "true")]
    [InlineData("false", "false")]
    [InlineData("0", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("1562182722", "1562182722")]
    [InlineData("1e3", "1000")]
    [InlineData("9007199254740993", "9007199254740992")] // numbers are doubles
    [InlineData("18446744073709551615", "18446744073709551616.000000")] // rounds to 2^64, which is not below it
    [InlineData("1.5", "1.500000")]
    [InlineData("-3", "-3.000000")]
    [InlineData("0.0078125", "0.007812")] // halfway: to the even one
    [InlineData("0.0234375", "0.023438")]
    [InlineData("0.1", "0.100000")]
    [InlineData("1e400", null)]
    [InlineData("[\"a\", \"b\"]", "WyJhIiwiYiJd")]
    [InlineData("[]", "W10=")]
    [InlineData("{ \"a\" : { \"b\" : 1 } }", "eyJhIjp7ImIiOjF9fQ==")]
    public void Authenticate_ClaimOfEachType_IsPrintedAsEnvoyDoes(string json, string? header)
    {
        var forwarded = Forward(Rule with { OutputClaimToHeaders = TestPolicies.Claims(("x-c", "c")) }, $$"""{"iss":"i1","c":{{json}}}""");

        Assert.Equal(header is null ? [] : [header], forwarded.Lines("x-c"));
    }

    [Theory]
    [InlineData("a.b", false, "exact")] // a claim of this very name wins
    [InlineData("a.b", true, "nested")]
    [InlineData("c.d", false, "only nested")]
    [InlineData("[a][b]", false, "nested")]
    [InlineData("[a.b]", false, "exact")]
    [InlineData("[a.b]", true, null)]
    [InlineData("https://e.com/roles", false, "admin")]
    [InlineData("https://e.com/roles", true, null)]
    [InlineData("a.b.c", false, null)]
    [InlineData("missing", false, null)]
    public void Authenticate_ClaimName_IsResolvedByTheMode(string claim, bool exact, string? header)
    {
        const string Payload = """{"iss":"i1","a.b":"exact","a":{"b":"nested"},"c":{"d":"only nested"},"https://e.com/roles":"admin"}""";

        var forwarded = Forward(Rule with { OutputClaimToHeaders = TestPolicies.Claims(("x-c", claim)) }, Payload, exact);

        Assert.Equal(header is null ? [] : [header], forwarded.Lines("x-c"));
    }

    [Fact]
    public void Authenticate_TwoClaimsToOneHeader_GiveTwoLinesInOrder()
    {
        var rule = Rule with { OutputClaimToHeaders = TestPolicies.Claims(("x-c", "b"), ("X-C", "a")) };

        Assert.Equal(["2", "1"], Forward(rule, """{"iss":"i1","a":"1","b":"2"}""").Lines("x-c"));
    }

    [Fact]
    public void Authenticate_PayloadHeader_IsTheSegmentOfTheToken()
    {
        var token = Issuer.Mint("alice");
        var stage = TestPolicies.Stage(Rule with { OutputPayloadToHeader = "x-payload" });
        var request = new TestRequest("/", "GET", ("X-Payload", "forged"), ("authorization", $"Bearer {token}"));

        Assert.Equal([token.Split('.')[1]], request.After(stage.Authenticate(in request, TestPolicies.Now).Edits).Lines("x-payload"));
    }

    [Fact]
    public void Authenticate_ScopeAndListedClaims_AreListsForPoliciesAndTextForHeaders()
    {
        var rule = Rule with { SpaceDelimitedClaims = ["roles", "scope"], OutputClaimToHeaders = TestPolicies.Claims(("x-roles", "roles")) };
        var request = TestRequest.WithBearer(Issuer.Mint(("scope", "r w"), ("roles", "a b")));

        var result = TestPolicies.Stage(rule).Authenticate(in request, TestPolicies.Now);

        Assert.All(["scope", "permission", "roles"], name => Assert.True(result.Identity!.Claims.IsSpaceDelimited(name)));
        Assert.False(result.Identity!.Claims.IsSpaceDelimited("sub"));
        Assert.Equal(["a b"], request.After(result.Edits).Lines("x-roles"));
    }

    [Theory]
    [InlineData("/p?b=2&access_token=T&a=x%20y", "/p?b=2&a=x%20y")]
    [InlineData("/p?access_token=T", "/p")]
    [InlineData("/p?access_token=T&a", "/p?a")]
    [InlineData("/p?a&access_token=T", "/p?a")]
    [InlineData("/p?a=1&&access_token=T&access_token=2&%61ccess_token&b=+%26", "/p?a=1&&b=+%26")]
    [InlineData("/p?a=1&access_token=T&", "/p?a=1&")]
    public void Authenticate_TokenInTheQuery_IsCutOutOfTheClientsText(string target, string forwarded)
    {
        var request = new TestRequest(target.Replace("=T", $"={Issuer.Mint("alice")}", StringComparison.Ordinal));

        var result = TestPolicies.Stage(Rule).Authenticate(in request, TestPolicies.Now);

        Assert.Equal("alice", result.Identity?.Subject);
        Assert.Equal(forwarded, request.After(result.Edits).Target);
    }

    [Theory]
    [InlineData("sid=T", null)]
    [InlineData("a=1; sid=\"T\"; b=2", "a=1; b=2")]
    [InlineData("sid=T; a=1", "a=1")]
    [InlineData("a=1; sid=T", "a=1")]
    [InlineData("a=1; sid=T; sid=2; flag", "a=1; flag")]
    public void Authenticate_TokenCookieToBeRemoved_LeavesTheOthers(string cookie, string? forwarded)
    {
        var policy = TestPolicies.Policy(Rule with { FromCookies = ["sid"] }).Annotated(PolicyAnnotations.RemoveTokenCookie, "true");
        var stage = TestPolicies.Compile([policy]).Stage!;
        var request = new TestRequest("/", "GET", ("cookie", cookie.Replace("T", Issuer.Mint("alice"), StringComparison.Ordinal)));

        var result = stage.Authenticate(in request, TestPolicies.Now);

        Assert.Equal("alice", result.Identity?.Subject);
        Assert.Equal(forwarded is null ? [] : [forwarded], request.After(result.Edits).Lines("cookie"));
    }

    [Fact]
    public void Authenticate_TwoGoodTokensInDifferentRules_KeepsTheSecondAwayFromTheBackendUnlessExact()
    {
        JwtRule[] rules = [Rule with { FromHeaders = TestPolicies.Header("x-a") }, Rule with { FromHeaders = TestPolicies.Header("x-b"), ForwardOriginalToken = true }];
        var request = new TestRequest("/", "GET", ("x-a", Issuer.Mint("alice")), ("x-b", Issuer.Mint("bob")));

        var result = TestPolicies.Stage(rules).Authenticate(in request, TestPolicies.Now);
        var exact = TestPolicies.Stage(new AuthenticationOptions { IstioExact = true }, rules).Authenticate(in request, TestPolicies.Now);

        Assert.Equal("alice", result.Identity?.Subject);
        Assert.Empty(request.After(result.Edits).Headers);
        Assert.Single(request.After(exact.Edits).Headers);
    }

    [Fact]
    public void Authenticate_FailedRuleThatAcceptedAToken_HandsNothingOn()
    {
        var first = Rule with { FromHeaders = TestPolicies.Header("x-a"), OutputClaimToHeaders = TestPolicies.Claims(("x-who", "sub")) };
        var second = Rule with { FromHeaders = TestPolicies.Header("x-b") };
        var request = new TestRequest("/", "GET", ("x-a", "garbage"), ("x-a", Issuer.Mint("mallory")), ("x-b", Issuer.Mint("bob")));

        var result = TestPolicies.Stage(first, second).Authenticate(in request, TestPolicies.Now);

        Assert.Equal("bob", result.Identity?.Subject);
        Assert.Empty(request.After(result.Edits).Headers);
    }

    private static TestRequest Forward(JwtRule rule, string payload, bool exact = false)
    {
        Assert.NotNull(JsonNode.Parse(payload));
        var request = TestRequest.WithBearer(Issuer.Sign(payload));
        var result = TestPolicies.Stage(new AuthenticationOptions { IstioExact = exact }, rule).Authenticate(in request, TestPolicies.Now);
        Assert.True(result.IsAccepted, result.Status.ToString());
        return request.After(result.Edits);
    }
}
