using System.Text.Json;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Resources.Tests.PolicyTests;

public sealed class PolicyTestFileTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    [Fact]
    public void Test_WithDefaults_TakesWhatItDoesNotSayItselfFromThem()
    {
        var test = Single("""
            defaults:
              request: { host: shop.example, headers: { x-a: "1", X-B: 2 }, scheme: https }
              from: 10.0.0.9
              expect: deny
            tests:
            - request: { path: /x, headers: { x-b: "3" }, query: { q: "a b", r: [1, 2] } }
            """);

        Assert.Equal(("GET", "https", "shop.example", 443, "/x?q=a%20b&r=1&r=2"), (test.Request.Method, test.Request.Scheme, test.Request.Host, test.Request.Port, test.Request.Target));
        Assert.Equal([new("x-a", "1"), new("x-b", "3")], test.Request.Headers);
        Assert.Equal("10.0.0.9", test.Client.Ip.ToString());
        Assert.Equal("GET /x?q=a%20b&r=1&r=2", test.Name);
        Assert.False(test.Expect.IsAllowed);
    }

    [Theory]
    [InlineData("GET http://a.example:8081/p?q", "GET", "http", "a.example:8081", 8081, "/p?q")]
    [InlineData("https://a.example", "GET", "https", "a.example", 443, "/")]
    [InlineData("DELETE //x/%2e", "DELETE", "http", "h", 80, "//x/%2e")]
    [InlineData("POST http://[::1]:9/?a", "POST", "http", "[::1]:9", 9, "/?a")]
    public void Request_InOneLine_IsReadWithoutChangingItsPath(string line, string method, string scheme, string host, int port, string target)
    {
        var test = Single($"defaults: {{ request: {{ host: h }} }}\ntests:\n- {{ request: \"{line}\", expect: 200 }}\n");

        Assert.Equal((method, scheme, host, port, target), (test.Request.Method, test.Request.Scheme, test.Request.Host, test.Request.Port, test.Request.Target));
    }

    [Fact]
    public void Cases_EachBecomeATestOfTheirOwn()
    {
        var suite = Read("""
            identities: { dev: { iss: i, sub: s, groups: [dev] } }
            tests:
            - name: t
              request: GET http://h/a
              as: dev
              expect: allow
              cases:
              - name: one
              - { as: anonymous, expect: 401 }
              - { claims: { groups: null, sub: x }, request: { method: POST } }
            """).Suite!;

        Assert.Equal(["t / one", "t / GET /a", "t / POST /a with a token"], suite.Tests.Select(t => t.Name));
        Assert.Equal([8, 9, 10], suite.Tests.Select(t => t.Position.Line));
        Assert.Null(suite.Tests[1].Claims);
        Assert.Equal(401, suite.Tests[1].Expect.Status);
        using var claims = JsonDocument.Parse(suite.Tests[2].Claims!.ToJson(Now));
        Assert.Equal("x", claims.RootElement.GetProperty("sub").GetString());
        Assert.False(claims.RootElement.TryGetProperty("groups", out _));
    }

    [Fact]
    public void Claims_KeepTheirJsonTypesAndGetTimes()
    {
        var test = Single("""
            tests:
            - request: http://h/
              expect: allow
              as: { iss: i, num: 7, f: 1.5, b: true, nested: { a: [x, { z: null }] }, quoted: "7", exp: -1h, nbf: 90s }
            """);

        Assert.Equal(
            """{"iat":1700000000,"iss":"i","num":7,"f":1.5,"b":true,"nested":{"a":["x",{"z":null}]},"quoted":"7","exp":1699996400,"nbf":1700000090}""",
            test.Claims!.ToJson(Now));
        Assert.Equal("i", test.Claims.Issuer);
    }

    [Fact]
    public void Claims_ThatAreNull_AreLeftOut() =>
        Assert.Equal("{}", Single("tests: [{ request: http://h/, expect: allow, as: { exp: null, iat: null } }]").Claims!.ToJson(Now));

    [Theory]
    [InlineData("tests: []", 1, 1, "PC1004", "there are no tests")]
    [InlineData("{}", 1, 1, "PC1004", "there are no tests")]
    [InlineData("- a", 1, 1, "PC1003", "a file of policy tests is a mapping")]
    [InlineData("tests: [", 2, 1, "PC1001", "")]
    [InlineData("tests:\n- { request: /x, expect: allow }", 2, 14, "PC1004", "the request has no host; add `host`")]
    [InlineData("tests:\n- { request: http://h/x }", 2, 3, "PC1004", "`expect` is required")]
    [InlineData("tests:\n- { request: http://h/x, expect: alow }", 2, 34, "PC1005", "did you mean `allow`?")]
    [InlineData("tests:\n- { request: http://h/x, expct: allow, expect: allow }", 2, 26, "PC1002", "did you mean `expect`?")]
    [InlineData("tests:\n- { request: http://h/x, expect: { status: 40 } }", 2, 44, "PC1005", "40 is not within 100 and 599")]
    [InlineData("tests:\n- { request: http://h/x, expect: {} }", 2, 26, "PC1005", "an empty expectation always holds")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, as: dev }", 2, 45, "PC2002", "there is no identity `dev`")]
    [InlineData("identities: { dev: {} }\ntests:\n- { request: http://h/x, expect: allow, as: dve }", 3, 45, "PC2002", "did you mean `dev`?")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, as: { exp: soon } }", 2, 52, "PC1005", "`soon` is not a time")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, as: {}, token: x }", 2, 56, "PC1005", "`as` and `token` are two identities")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, claims: { a: b } }", 2, 41, "PC1005", "there is no `as`")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, from: { ip: 1.2.3 } }", 2, 53, "PC1005", "is not an IP address")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, from: { principal: a/ns/b/sa/c } }", 2, 60, "PC1005", "spiffe://a/ns/b/sa/c")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, authorizer: { p: maybe } }", 2, 58, "PC1005", "is not an answer of an authorizer")]
    [InlineData("tests:\n- { request: http://h/x, expect: allow, tokenIn: { header: a, param: b } }", 2, 41, "PC1005", "one of `header`")]
    [InlineData("now: tomorrow\ntests:\n- { request: http://h/x, expect: allow }", 1, 6, "PC1005", "`tomorrow` is not a time")]
    [InlineData("apiVersion: v1\nkind: Service\n", 1, 1, "PC1003", "this is a resource")]
    [InlineData("tests:\n- { request: http://h/x, expect: { policy: none, rule: 1 } }", 2, 56, "PC1005", "has no rule")]
    [InlineData("tests:\n- { request: \"GET http://h/x y\", expect: allow }", 2, 14, "PC1005", "is not a request")]
    [InlineData("tests:\n- { request: { path: x, host: h }, expect: allow }", 2, 22, "PC1005", "a path begins with /")]
    [InlineData("tests:\n- { request: { path: /x, host: h, headers: { \":path\": x } }, expect: allow }", 2, 55, "PC1005", "is not a header name")]
    public void Mistake_IsReportedWithItsPlaceAndRemedy(string text, int line, int column, string code, string message)
    {
        var result = Read(text);

        Assert.Null(result.Suite);
        var problem = Assert.Single(result.Problems);
        Assert.Equal((code, ProblemSeverity.Error), (problem.Code, problem.Severity));
        Assert.Contains(message, problem.ToString(), StringComparison.Ordinal);
        if (code != "PC1001")
        {
            Assert.Equal(new SourcePosition(line, column), problem.Position);
        }
    }

    [Fact]
    public void Mistakes_AreAllReportedAtOnce() => Assert.Equal(
        ["PC1002", "PC1005", "PC1005"],
        Read("nme: x\ntests:\n- { request: GET, expect: maybe }\n").Problems.Select(p => p.Code));

    private static PolicyTest Single(string text)
    {
        var result = Read(text);
        Assert.Empty(result.Problems);
        return Assert.Single(result.Suite!.Tests);
    }

    private static PolicyTestReadResult Read(string text) => PolicyTestFile.Read("tests.yaml", text);
}
