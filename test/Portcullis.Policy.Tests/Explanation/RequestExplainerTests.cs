using System.Net;
using System.Text.Json;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Explanation;

public sealed class RequestExplainerTests
{
    private const string Issuer = """
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec:
          jwtRules:
            - issuer: https://i.example
              audiences: [api]
              spaceDelimitedClaims: [roles]
        ---

        """;

    private const string Admins = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: admins, namespace: istio-system}
        spec:
          rules:
            - from:
                - source:
                    requestPrincipals: ["https://i.example/*"]
              to:
                - operation:
                    methods: [GET]
                    paths: ["/api/*"]
              when:
                - key: request.auth.claims[groups]
                  values: [admin]
        """;

    private const string Dev = """{"iss":"https://i.example","sub":"dora","aud":"api","groups":["dev"]}""";

    [Fact]
    public void Explain_OneClauseFails_NearMissSaysWhatWasSeenAndWanted()
    {
        var explained = Explain(Issuer + Admins, Facts("/api/x", Dev));

        Assert.Equal(ExplainedOutcome.Challenge, explained.Outcome);
        Assert.Equal(401, explained.StatusCode);
        Assert.Equal("3 of 4 conditions held; request.auth.claims[groups] = [\"dev\"], wanted \"admin\"", Assert.Single(explained.NearMisses).Summary);
        Assert.Equal("https://i.example/dora", explained.Identity.Principal);
        var step = Assert.Single(explained.SmallestChange!.Steps);
        Assert.Equal("request.auth.claims[groups] must match \"admin\" (is [\"dev\"])", step.Text);
        Assert.Equal("policies.yaml:24", step.Place);
    }

    [Fact]
    public void Explain_AllHold_NamesTheRuleAndWhatWouldDeny()
    {
        var explained = Explain(Issuer + Admins, Facts("/api/x", Dev.Replace("dev", "admin", StringComparison.Ordinal)));

        Assert.Equal((ExplainedOutcome.Allowed, "ns[istio-system]-policy[admins]-rule[0]"), (explained.Outcome, explained.PolicyId));
        Assert.Equal("deny", explained.SmallestChange!.To);
        Assert.Single(explained.SmallestChange.Steps);
    }

    [Fact]
    public void Explain_DenyMatchesAnotherReading_ShowsIt()
    {
        var explained = Explain(Policy("DENY", """{"to":[{"operation":{"paths":["/admin"]}}]}"""), Facts("/pub/..//admin?x=1", null));

        Assert.Equal(ExplainedOutcome.Forbidden, explained.Outcome);
        Assert.Equal(("/pub/..//admin?x=1", "//admin"), (explained.Request.Target, explained.Request.Path));
        Assert.Equal("/admin", Assert.Single(explained.Request.DenyReadings));
        Assert.Equal("/admin", explained.Policies[0].Rules[0].PathReading);
        Assert.Equal("paths must not match \"/admin\" (is \"/admin\")", Assert.Single(explained.SmallestChange!.Steps).Text);
    }

    [Fact]
    public void Explain_DenyOfEverything_SaysThatNoRequestHelps()
    {
        var explained = Explain(Policy("DENY", "{}"), Facts("/", null));

        Assert.Empty(explained.SmallestChange!.Steps);
        Assert.Contains("denies every request", explained.SmallestChange.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"iss":"https://i.example/","sub":"a","aud":"api"}""", 401, "UnknownIssuer", "`iss` is `https://i.example/`, the rule is for `https://i.example`")]
    [InlineData("""{"iss":"https://i.example","sub":"a","aud":"other"}""", 403, "AudienceNotAllowed", "`aud` is [`other`], none of the rule's audiences")]
    [InlineData("""{"iss":"https://i.example","aud":"api","exp":1000}""", 401, "Expired", "`exp` is 1970-01-01 00:16:40Z, now is 2026-03-04 05:06:07Z")]
    public void Explain_ClaimsThatARuleRefuses_GivesTheVerdict(string claims, int status, string verdict, string detail)
    {
        var explained = Explain(Issuer + Admins, Facts("/api/x", claims));

        Assert.Equal((ExplainedOutcome.TokenRefused, status), (explained.Outcome, explained.StatusCode));
        var one = Assert.Single(explained.Identity.Verdicts);
        Assert.Equal((verdict, detail), (one.Status, one.Detail));
        Assert.Empty(explained.Policies);
    }

    [Fact]
    public void Explain_NoRequestAuthentication_ClaimsAreNotLookedAt()
    {
        var explained = Explain(Admins, Facts("/api/x", Dev));

        Assert.Null(explained.Identity.Principal);
        Assert.Equal("no RequestAuthentication with a rule is attached: tokens are not looked at", explained.Identity.Note);
        Assert.Equal(403, explained.StatusCode);
    }

    [Fact]
    public void Explain_DryRunDeny_IsShownAndNotEnforced()
    {
        var explained = Explain(Policy("DENY", "{}", """, "annotations": {"istio.io/dry-run": "true"}"""), Facts("/", null));

        Assert.True(explained.IsAllowed);
        Assert.True(explained.Policies[0] is { IsDryRun: true, Matches: true });
    }

    [Fact]
    public void Explain_TokenInTheRequest_LeavesNoPieceOfItAnywhere()
    {
        const string Token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSJ9.c2lnbmF0dXJlLXNlY3JldA";
        var rule = """{"when":[{"key":"request.headers[authorization]","values":["x"]},{"key":"request.headers[x-copy]","values":["x"]}]}""";
        var facts = Facts($"/p?access_token={Token}", null) with { Headers = [new("Authorization", "Bearer " + Token), new("X-Copy", "t " + Token)] };

        var explained = Explain(Policy("ALLOW", rule), facts);
        var text = JsonSerializer.Serialize(explained) + string.Join('\n', explained.Policies[0].Rules[0].When);

        Assert.DoesNotContain("eyJ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("c2lnbmF0dXJl", text, StringComparison.Ordinal);
        Assert.Equal("\"<redacted>\"", explained.Policies[0].Rules[0].When[0].Seen);
    }

    [Theory]
    [InlineData("*", 404)]
    [InlineData("/a%00b", 400)]
    public void Explain_TargetThatCannotBeServed_EndsBeforeThePolicies(string target, int status)
    {
        var explained = Explain(Admins, Facts(target, null));

        Assert.Equal((ExplainedOutcome.Malformed, status), (explained.Outcome, explained.StatusCode));
    }

    private static RequestFacts Facts(string target, string? claims) => new()
    {
        Method = "GET",
        Authority = "shop.example.com",
        Target = target,
        PeerAddress = IPAddress.Loopback,
        RemoteAddress = IPAddress.Loopback,
        AssertedClaims = claims is null ? null : JsonElement.Parse(claims),
    };

    private static string Policy(string action, string rule, string metadata = "") => $$"""
        {"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"p","namespace":"istio-system"{{metadata}} },
         "spec":{"action":"{{action}}","rules":[{{rule}}]} }
        """;

    [Fact]
    public void Explain_CustomPoliciesMatch_AsksTheirAuthorizersByNameUntilOneCannotBeAsked()
    {
        const string Custom = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: a, namespace: istio-system}
            spec: {action: CUSTOM, provider: {name: second}, rules: [{}]}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: b, namespace: istio-system}
            spec: {action: CUSTOM, provider: {name: first}, rules: [{to: [{operation: {paths: [/none]}}]}, {}]}
            ---

            """;
        ExternalAuthorizerFacts first = new("first", null, "http first.test:80", FailOpen: true, 403);
        ExternalAuthorizerFacts second = new("second", null, "grpc second.test:80", FailOpen: false, 503);

        var asked = Explain(Custom + Issuer + Admins, Facts("/api/x", Dev), first, second);
        var denied = Explain(Custom, Facts("/x", Dev), first, second with { Unusable = "its service is unknown" });

        Assert.Equal(["first", "second"], asked.ExternalChecks.Select(c => c.Provider));
        Assert.Equal(["ns[istio-system]-policy[b]-rule[1]", "ns[istio-system]-policy[a]-rule[0]"], asked.ExternalChecks.Select(c => c.RuleId));
        Assert.Equal(["the request goes on (failOpen)", "503 with an empty body"], asked.ExternalChecks.Select(c => c.IfFailed));
        Assert.StartsWith("if the external authorizers `first` and `second` allow it: ALLOW policies are attached and none of them matches", asked.Reason, StringComparison.Ordinal);
        Assert.Equal(ExplainedOutcome.Challenge, asked.Outcome);
        Assert.Equal((ExplainedOutcome.Forbidden, 403), (denied.Outcome, denied.StatusCode));
        Assert.Equal(
            "if the external authorizer `first` allows it: denied by ns[istio-system]-policy[a]-rule[0]: its external authorizer `second` cannot be asked, because its service is unknown",
            denied.Reason);
    }

    private static DecisionExplanation Explain(string yaml, RequestFacts facts, params ReadOnlySpan<ExternalAuthorizerFacts> authorizers)
    {
        var read = ResourceReader.Read("policies.yaml", yaml);
        Assert.DoesNotContain(read.Problems, p => p.Severity == ProblemSeverity.Error);
        var resources = new ResourceSet(read.Resources, [], "");
        var authenticator = JwtAuthenticator.Compile(resources.OfType<RequestAuthentication>(), new NoKeys(), new AuthenticationOptions(), []);
        return new RequestExplainer(resources, new WorkloadIdentity(), authenticator, [.. authorizers]).Explain(facts, new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero), out _);
    }

    private sealed class NoKeys : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => FixedJwksSource.None;
    }
}
