using System.Text.Json;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authorization;

public sealed class AuthorizerTests
{
    private const string Issuer = "https://a.example";
    private static readonly WorkloadIdentity Workload = new();

    [Fact]
    public void Evaluate_AllowMatchesToo_DenyWinsAndIsNamed()
    {
        var decision = Decide(
            new TestRequest { Path = "/admin" },
            """{"name":"deny","action":"DENY","rules":[{"to":[{"operation":{"paths":["/public"]}}]},{"to":[{"operation":{"paths":["/admin"]}}]}]}""",
            """{"name":"allow","rules":[{}]}""");

        Assert.Equal(new Decision(DecisionOutcome.Forbidden, "ns[istio-system]-policy[deny]-rule[1]"), decision);
    }

    [Fact]
    public void Evaluate_AllowMatches_NamesIt() =>
        Assert.Equal("ns[istio-system]-policy[p0]-rule[0]", Decide(new TestRequest(), """{"rules":[{}]}""").PolicyId);

    [Fact]
    public void Evaluate_NoAllowMatches_NamesNone() =>
        Assert.Equal(new Decision(DecisionOutcome.Forbidden, null), Decide(new TestRequest(), "{}"));

    [Theory]
    [InlineData("/admin", true)]
    [InlineData("/", false)]
    public void Evaluate_Audit_OnlyHints(string path, bool hint) =>
        Assert.Equal(
            new Decision(DecisionOutcome.Allowed, null, hint),
            Decide(new TestRequest { Path = path }, """{"action":"AUDIT","rules":[{"to":[{"operation":{"paths":["/admin"]}}]}]}"""));

    [Fact]
    public void Evaluate_DryRun_IsShadowOnly()
    {
        var decision = Decide(
            new TestRequest(),
            """{"name":"a","annotations":{"istio.io/dry-run":"true"},"rules":[{}]}""",
            """{"name":"d","annotations":{"istio.io/dry-run":"T"},"action":"DENY","rules":[{}]}""",
            """{"name":"c","annotations":{"istio.io/dry-run":"1"},"action":"CUSTOM","provider":"p","rules":[{}]}""");

        Assert.Equal(
            new Decision(
                DecisionOutcome.Allowed,
                null,
                DenyShadow: new ShadowResult(false, "ns[istio-system]-policy[d]-rule[0]"),
                AllowShadow: new ShadowResult(true, "ns[istio-system]-policy[a]-rule[0]")),
            decision);
    }

    [Fact]
    public void EvaluateCustom_DryRun_HasNoEffect()
    {
        var authorizer = Compile([], """{"annotations":{"istio.io/dry-run":"true"},"action":"CUSTOM","provider":"p","rules":[{}]}""");
        var request = new TestRequest();

        Assert.False(authorizer.HasCustom);
        Assert.Null(authorizer.EvaluateCustom(in request));
    }

    [Fact]
    public void EvaluateCustom_Match_NamesProviderAndRule()
    {
        var problems = new List<Problem>();
        var authorizer = Compile(problems, """{"action":"CUSTOM","provider":"p","rules":[{"to":[{"operation":{"paths":["/c"]}}]}]}""");
        var (hit, miss) = (new TestRequest { Path = "/c" }, new TestRequest { Path = "/d" });

        Assert.Equal(new CustomMatch("p", "ns[istio-system]-policy[p0]-rule[0]"), authorizer.EvaluateCustom(in hit));
        Assert.Null(authorizer.EvaluateCustom(in miss));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("""{"from":[{"source":{"ipBlocks":["bad"]}}]}""", "spec.rules[0].from[0].source.ipBlocks[0]")]
    [InlineData("""{"from":[{"source":{"notRemoteIpBlocks":["1.2.3.4/99"]}}]}""", "spec.rules[0].from[0].source.notRemoteIpBlocks[0]")]
    [InlineData("""{"from":[{"source":{"serviceAccounts":["a/*"]}}]}""", "spec.rules[0].from[0].source.serviceAccounts[0]")]
    [InlineData("""{"from":[{"source":{"trustDomains":["a*b"]}}]}""", "spec.rules[0].from[0].source.trustDomains[0]")]
    [InlineData("""{"to":[{"operation":{"notPorts":["bad"]}}]}""", "spec.rules[0].to[0].operation.notPorts[0]")]
    [InlineData("""{"to":[{"operation":{"ports":["65536"]}}]}""", "spec.rules[0].to[0].operation.ports[0]")]
    [InlineData("""{"to":[{"operation":{"paths":["/{**}/x/{*}"]}}]}""", "spec.rules[0].to[0].operation.paths[0]")]
    [InlineData("""{"to":[{"operation":{"hosts":[""]}}]}""", "spec.rules[0].to[0].operation.hosts[0]")]
    [InlineData("""{"when":[{"key":"no.such.key","values":["x"]}]}""", "spec.rules[0].when[0].key")]
    [InlineData("""{"when":[{"key":"request.headers[]","values":["x"]}]}""", "spec.rules[0].when[0].key")]
    [InlineData("""{"when":[{"key":"request.auth.claims","values":["x"]}]}""", "spec.rules[0].when[0].key")]
    [InlineData("""{"when":[{"key":"source.ip"}]}""", "spec.rules[0].when[0]")]
    [InlineData("""{"when":[{"key":"source.ip","notValues":["bad"]}]}""", "spec.rules[0].when[0].notValues[0]")]
    public void Compile_WhatCannotBeUsed_NarrowsAllowAndWidensDeny(string rule, string field)
    {
        foreach (var action in new[] { "ALLOW", "DENY", "AUDIT", "CUSTOM" })
        {
            var problems = new List<Problem>();
            var authorizer = Compile(problems, $$"""{"action":"{{action}}","provider":"p","rules":[{{rule}}]}""");
            var request = new TestRequest();

            Assert.Contains(problems, p => p.FieldPath == field && p.Severity == ProblemSeverity.Error);
            Assert.Equal(action is "AUDIT" or "CUSTOM", authorizer.Evaluate(in request).IsAllowed);
            Assert.Equal(action == "CUSTOM", authorizer.EvaluateCustom(in request) is not null);
            Assert.Equal(action == "AUDIT" ? true : null, authorizer.Evaluate(in request).AuditHint);
        }
    }

    [Fact]
    public void Compile_OneBadValueOfSeveralInDeny_OnlyThatValueGoes()
    {
        const string Deny = """{"action":"DENY","rules":[{"from":[{"source":{"ipBlocks":["bad","10.0.0.0/8"]}}]}]}""";

        Assert.False(Decide(new TestRequest { PeerAddress = System.Net.IPAddress.Parse("10.1.1.1") }, Deny).IsAllowed);
        Assert.True(Decide(new TestRequest(), Deny).IsAllowed);
    }

    [Theory]
    [InlineData("""{"action":"DENY","rules":[{"to":[{"operation":{"methods":["GET"]}}]}]}""", 8080, false)]
    [InlineData("""{"action":"DENY","rules":[{"to":[{"operation":{"methods":["GET"],"ports":["8080"]}}]}]}""", 8080, false)]
    [InlineData("""{"action":"DENY","rules":[{"to":[{"operation":{"methods":["GET"],"ports":["8080"]}}]}]}""", 9000, true)]
    [InlineData("""{"rules":[{"to":[{"operation":{"methods":["GET"]}}]}]}""", 8080, false)]
    [InlineData("""{"rules":[{"to":[{"operation":{"ports":["8080"]}}]}]}""", 8080, true)]
    public void CompileForTcp_HttpAttributes_AreUnusable(string policy, int port, bool isAllowed)
    {
        var request = new TestRequest { LocalPort = port };

        Assert.Equal(isAllowed, Authorizer.CompileForTcp([Policies.Parse(policy)], MeshConfig.Default, Workload, []).Evaluate(in request).IsAllowed);
    }

    [Theory]
    [InlineData("*", "i", "s", true)]
    [InlineData("*", "", "s", false)]
    [InlineData("*/*", "i", "s", false)]
    [InlineData("*/*", "i", "*", true)]
    [InlineData("*.example/s", "a.example", "s", true)]
    [InlineData("*.example/s", "a.example", "t", false)]
    [InlineData("*ice", "i", "alice", true)]
    [InlineData("i/*", "i", "a/b", true)]
    [InlineData("i/*", "i", "", false)]
    [InlineData("i/a*", "i", "alice", true)]
    [InlineData("http*", "https://x", "s", true)]
    [InlineData("https://i*", "https://i.example", "s", false)] // cut at the scheme's slashes
    [InlineData("https://i/a/b", "https://i", "a/b", false)]
    [InlineData("https://i/a/b", "https://i/a", "b", true)]
    [InlineData("i", "i", "s", false)]
    [InlineData("i", "i", "", true)]
    public void Evaluate_RequestPrincipal_IsCutAtItsLastSlash(string pattern, string issuer, string subject, bool expected) =>
        Assert.Equal(expected, Matches(Policies.ExactMesh, pattern, JsonSerializer.Serialize(new { iss = issuer, sub = subject })));

    [Theory]
    [InlineData("*", true)]
    [InlineData("i/", true)]
    [InlineData("*i/", true)]
    [InlineData("i", false)] // its principal is `i/`
    [InlineData("i/*", false)]
    [InlineData("i*", false)]
    [InlineData("*x", false)]
    public void Evaluate_TokenWithoutSubject_HasThePrincipalOfItsIssuerOnlyIfAccepted(string pattern, bool accepted)
    {
        Assert.Equal(accepted, Matches(Policies.DefaultMesh, pattern, """{"iss":"i"}"""));
        Assert.False(Matches(Policies.ExactMesh, pattern, """{"iss":"i"}"""));
    }

    [Theory]
    [InlineData("""{"from":[{"source":{"requestPrincipals":["https://a.example/*"]}}]}""", DecisionOutcome.Challenge)]
    [InlineData("""{"from":[{"source":{"requestPrincipals":["https://other.example/*"]}}]}""", DecisionOutcome.Forbidden)]
    [InlineData("""{"when":[{"key":"request.auth.claims[iss]","values":["https://other.example"]}]}""", DecisionOutcome.Forbidden)]
    [InlineData("""{"when":[{"key":"request.auth.claims[g]","values":["admin"]}]}""", DecisionOutcome.Challenge)]
    [InlineData("""{"from":[{"source":{"requestPrincipals":["*"]}}],"to":[{"operation":{"methods":["POST"]}}]}""", DecisionOutcome.Forbidden)]
    public void Evaluate_Denied_IsAChallengeOnlyIfAnotherTokenCouldPass(string rule, DecisionOutcome expected) =>
        Assert.Equal(expected, Decide(new TestRequest(), $$"""{"rules":[{{rule}}]}""").Outcome);

    [Fact]
    public void Evaluate_DenyAndAllowNeedDifferentIssuers_NoTokenCouldPass()
    {
        string[] policies =
        [
            """{"name":"d","action":"DENY","rules":[{"when":[{"key":"request.auth.claims[iss]","values":["https://a.example"]}]}]}""",
            """{"name":"a","rules":[{"when":[{"key":"request.auth.claims[iss]","values":["https://a.example"]}]}]}""",
        ];

        Assert.Equal(DecisionOutcome.Forbidden, Decide(new TestRequest(), policies).Outcome);
    }

    [Fact]
    public void Evaluate_DeniedWithoutAnyJwtRule_IsForbidden()
    {
        var request = new TestRequest();
        var policy = Policies.Parse("""{"rules":[{"from":[{"source":{"requestPrincipals":["*"]}}]}]}""");

        Assert.Equal(DecisionOutcome.Forbidden, Authorizer.Compile([policy], MeshConfig.Default, Workload, [], []).Evaluate(in request).Outcome);
        Assert.Equal(DecisionOutcome.Challenge, Authorizer.Compile([policy], MeshConfig.Default, Workload, [null], []).Evaluate(in request).Outcome);
    }

    [Fact]
    public void Evaluate_AllowedRequest_AllocatesNothing()
    {
        var authorizer = Compile(
            [],
            """{"name":"d","action":"DENY","rules":[{"to":[{"operation":{"paths":["/admin/{**}"]}}]},{"from":[{"source":{"notRequestPrincipals":["*"]}}]}]}""",
            """{"name":"u","action":"AUDIT","rules":[{"when":[{"key":"connection.sni","values":["x*"]}]}]}""",
            """
            {"name":"a","rules":[
              {"from":[{"source":{"ipBlocks":["203.0.113.0/24"]}},{"source":{"principals":["*/ns/a/sa/b"],"namespaces":["x*"],"serviceAccounts":["y"]}}]},
              {"from":[{"source":{"requestPrincipals":["https://a.example/*"]}}],
               "to":[{"operation":{"hosts":["SHOP.example.com"],"methods":["GET"],"ports":["8080"]}}],
               "when":[{"key":"request.auth.claims[groups]","values":["adm*"]},{"key":"request.auth.claims[scope]","values":["write"]},
                       {"key":"request.headers[x-role]","values":["r"]},{"key":"request.headers[:path]","values":["/o*"]}]}]}
            """);
        var request = new TestRequest
        {
            Path = "/orders/7",
            Query = "q=1",
            Headers = [("x-role", ["r"])],
            PeerCertificate = new Matching.PeerCertificate(["spiffe://td/ns/q/sa/z"], ["client.example"], "CN=client"),
        }.WithClaims($$"""{"iss":"{{Issuer}}","sub":"alice","groups":["dev","\u0061dmin"],"scope":"read write"}""");
        Assert.True(authorizer.Evaluate(in request).IsAllowed);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var decision = authorizer.Evaluate(in request);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(decision.IsAllowed);
        Assert.Equal(0, allocated);
    }

    private static bool Matches(MeshConfig mesh, string pattern, string claims)
    {
        var policy = Policies.Of(PolicyAction.Allow, [new AuthorizationRule { From = [new RequestSource { RequestPrincipals = [pattern] }] }]);
        var request = new TestRequest().WithClaims(claims);
        return Authorizer.Compile([policy], mesh, Workload, [], []).Evaluate(in request).IsAllowed;
    }

    private static Decision Decide(TestRequest request, params string[] policies) => Compile([], policies).Evaluate(in request);

    private static Authorizer Compile(List<Problem> problems, params string[] policies) =>
        Authorizer.Compile(policies.Select((p, i) => Policies.Parse(p, $"p{i}")), MeshConfig.Default, Workload, [Issuer], problems);
}
