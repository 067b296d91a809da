using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class MatchTests
{
    [Theory]
    [InlineData("{uri: {exact: /a}}", "/a?x=/b", true)]
    [InlineData("{uri: {exact: /a}}", "/A", false)]
    [InlineData("{uri: {exact: /a}, ignoreUriCase: true}", "/A", true)]
    [InlineData("{uri: {prefix: /api}, ignoreUriCase: true}", "/API/x", true)]
    [InlineData("{uri: {regex: /api}, ignoreUriCase: true}", "/API", false)]
    [InlineData("{uri: {prefix: \"\"}}", "/any", true)]
    [InlineData("{uri: {}}", "/any", true)]
    [InlineData("{uri: {regex: \"/a|/b\"}}", "/b", true)]
    [InlineData("{uri: {regex: \"/a|/b\"}}", "/bc", false)]
    [InlineData("{scheme: {exact: http}}", "/", true)]
    [InlineData("{scheme: {exact: https}}", "/", false)]
    [InlineData("{method: {exact: get}}", "/", false)]
    [InlineData("{method: {regex: \"GET|HEAD\"}}", "/", true)]
    [InlineData("{authority: {prefix: foo}}", "/", true)]
    [InlineData("{authority: {exact: FOO.com}}", "/", false)]
    [InlineData("{queryParams: {k: {exact: v}}}", "/?k=v", true)]
    [InlineData("{queryParams: {k: {exact: v}}}", "/?k=w&k=v", false)]
    [InlineData("{queryParams: {k: {exact: v}}}", "/?K=v", false)]
    [InlineData("{queryParams: {k: {exact: v}}}", "/", false)]
    [InlineData("{queryParams: {k: {exact: \"\"}}}", "/?k=", true)]
    [InlineData("{queryParams: {k: {regex: \"*\"}}}", "/?a&k=1", true)]
    [InlineData("{queryParams: {k: {}}}", "/?kk=1", false)]
    [InlineData("{queryParams: {k: {prefix: a}}}", "/?k=a=b", true)]
    public void Match_OfTheRequestLine_FollowsTheTable(string block, string target, bool expected) =>
        Assert.Equal(expected, Matches(block, new(target)));

    [Theory]
    [InlineData("{headers: {X-A: {exact: \"1\"}}}", "x-a=1", true)]
    [InlineData("{headers: {x-a: {exact: \"1\"}}}", "", false)]
    [InlineData("{headers: {x-a: {exact: \"1,2\"}}}", "x-a=1;x-a=2", true)]
    [InlineData("{headers: {x-a: {exact: \"1\"}}}", "x-a=1;x-a=2", false)]
    [InlineData("{headers: {x-a: {}}}", "x-a=", true)]
    [InlineData("{headers: {x-a: {regex: \"*\"}}}", "x-a=", true)]
    [InlineData("{headers: {x-a: {regex: \".*\"}}}", "", false)]
    [InlineData("{headers: {\":method\": {exact: GET}}}", "", true)]
    [InlineData("{headers: {\":path\": {exact: \"/p?q=1\"}}}", "", true)]
    [InlineData("{headers: {host: {exact: foo.com}}}", "", true)]
    [InlineData("{withoutHeaders: {x-a: {exact: \"1\"}}}", "", true)]
    [InlineData("{withoutHeaders: {x-a: {exact: \"1\"}}}", "x-a=2", true)]
    [InlineData("{withoutHeaders: {x-a: {exact: \"1\"}}}", "x-a=1", false)]
    [InlineData("{withoutHeaders: {x-a: {regex: \".*\"}}}", "", false)]
    [InlineData("{withoutHeaders: {x-a: {regex: \".+\"}}}", "", true)]
    [InlineData("{withoutHeaders: {x-a: {}}}", "", true)]
    [InlineData("{withoutHeaders: {x-a: {}}}", "x-a=", false)]
    [InlineData("{withoutHeaders: {x-a: {regex: \"*\"}}}", "", true)]
    public void Match_OfHeaders_FollowsTheTable(string block, string headers, bool expected) =>
        Assert.Equal(expected, Matches(block, new("/p?q=1", headers: Headers(headers))));

    [Theory]
    [InlineData("headers: {\"@request.auth.claims.role\": {exact: dev}}", """{"role":"dev"}""", true)]
    [InlineData("headers: {\"@Request.Auth.Claims[role]\": {exact: dev}}", """{"role":["ops","dev"]}""", true)]
    [InlineData("headers: {\"@request.auth.claims[a][b]\": {prefix: d}}", """{"a":{"b":"dev"}}""", true)]
    [InlineData("headers: {\"@request.auth.claims.a.b\": {exact: dev}}", """{"a":{"b":"dev"}}""", true)]
    [InlineData("headers: {\"@request.auth.claims[a.b]\": {exact: dev}}", """{"a.b":"dev"}""", true)]
    [InlineData("headers: {\"@request.auth.claims.scope\": {exact: write}}", """{"scope":"read write"}""", true)]
    [InlineData("headers: {\"@request.auth.claims.n\": {exact: \"1\"}}", """{"n":1}""", false)]
    [InlineData("headers: {\"@request.auth.claims.n\": {}}", """{"n":1}""", true)]
    [InlineData("headers: {\"@request.auth.claims.role\": {exact: dev}}", null, false)]
    [InlineData("withoutHeaders: {\"@request.auth.claims.role\": {exact: dev}}", null, true)]
    [InlineData("withoutHeaders: {\"@request.auth.claims.role\": {exact: dev}}", """{"role":"ops"}""", true)]
    [InlineData("withoutHeaders: {\"@request.auth.claims.role\": {exact: dev}}", """{"role":"dev"}""", false)]
    public void Match_OfClaims_LooksAtTheTokenOnly(string block, string? claims, bool expected)
    {
        var request = new TestRequest("/", headers: ("@request.auth.claims.role", "dev"));
        var compiled = Of("{" + block + "}");

        Assert.Equal(expected, compiled.Route(claims is null ? request : request.WithClaims(claims)) is not null);
        Assert.True(Assert.Single(compiled.Listener.Hosts.All).UsesClaims);
    }

    [Theory]
    [InlineData("{port: 80}", true)]
    [InlineData("{port: 8080}", false)]
    [InlineData("{gateways: [istio-system/gw]}", true)]
    [InlineData("{gateways: [mesh]}", false)]
    [InlineData("{gateways: [istio-system/gw], sourceLabels: {app: other}, sourceNamespace: nowhere}", true)]
    [InlineData("{sourceLabels: {istio: ingressgateway}, sourceNamespace: istio-system}", true)]
    [InlineData("{sourceLabels: {app: other}}", false)]
    [InlineData("{sourceNamespace: default}", false)]
    public void Match_OnWhatIsKnownBefore_IsDecidedWhenCompiled(string block, bool expected) => Assert.Equal(expected, Matches(block, new("/")));

    [Fact]
    public void Compile_RegexThatCannotBe_LeavesTheBlockOutAndSaysWhere()
    {
        var vs = new VirtualService
        {
            ApiVersion = "networking.istio.io/v1",
            Kind = "VirtualService",
            Metadata = new() { Name = "vs", Namespace = "default" },
            Origin = new TestOrigin(),
            Hosts = ["foo.com"],
            Gateways = ["istio-system/gw"],
            Http =
            [
                new()
                {
                    Match = [new() { Uri = new(StringMatchKind.Regex, "/(") }, new() { Uri = new(StringMatchKind.Exact, "/b") }],
                    DirectResponse = new() { Status = 200 },
                },
            ],
        };

        var compiled = Compiled.From([.. ResourceReader.Read("gw.yaml", Compiled.Gateway).Resources, vs]);

        var problem = Assert.Single(compiled.Problems);
        Assert.Equal((ProblemSeverity.Error, "spec.http[0].match[0].uri.regex"), (problem.Severity, problem.FieldPath));
        Assert.Equal("/b", Assert.Single(Assert.Single(compiled.Listener.Hosts.All).Routes).Path.Operand);
    }

    [Fact]
    public void Match_AllocatesNothing()
    {
        var compiled = Of("{uri: {prefix: /p}, method: {exact: GET}, headers: {x-a: {exact: \"1\"}}, queryParams: {q: {exact: \"1\"}}}");
        var request = new TestRequest("/p?q=1", "FOO.com:8080", headers: ("x-a", "1"));
        var hosts = compiled.Listener.Hosts;
        Assert.NotNull(hosts.Find(request.Authority)!.Match(in request));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _ = hosts.Find(request.Authority)!.Match(in request);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static bool Matches(string block, TestRequest request) => Of(block).Route(request) is not null;

    private static Compiled Of(string block) => Compiled.From(
        Compiled.Gateway, Compiled.VirtualService($"hosts: [foo.com]\nhttp: [{{match: [{block}], directResponse: {{status: 200}}}}]"));

    private static (string, string)[] Headers(string text) =>
        [.. text.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(h => (h.Split('=')[0], h.Split('=')[1]))];
}
