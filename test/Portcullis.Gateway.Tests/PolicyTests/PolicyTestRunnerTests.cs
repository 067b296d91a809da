using Microsoft.Extensions.Time.Testing;
using Portcullis.Gateway.Explanation;
using Portcullis.Gateway.PolicyTests;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;
using Portcullis.Routing;
using Portcullis.TestSupport;

namespace Portcullis.Gateway.Tests.PolicyTests;

/// <summary>Each test writes a policy test and says how it ends: the runner is what is tested, with the real stages below it.</summary>
public sealed class PolicyTestRunnerTests
{
    private const string Tokens = """
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec:
          jwtRules:
          - {issuer: "https://a.example", jwksUri: "https://a.example/never-fetched", audiences: [shop]}
          - {issuer: "https://b.example", jwksUri: "https://b.example/never-fetched", fromHeaders: [{name: x-token, prefix: "JWT "}]}
        """;

    private const string Policies = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: allow-dev, namespace: istio-system}
        spec:
          rules:
          - from: [{source: {requestPrincipals: ["https://a.example/*", "https://b.example/*"]}}]
            when:
            - {key: "request.auth.claims[groups]", values: [dev, ops]}
          - to: [{operation: {paths: [/open]}}]
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: no-admin, namespace: istio-system}
        spec:
          action: DENY
          rules:
          - to: [{operation: {paths: [/admin]}}]
        """;

    [Theory]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: shop, groups: [x, dev]}, expect: {outcome: allow, policy: istio-system/allow-dev, rule: 0, principal: 'https://a.example/ada'}")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: [other, shop], groups: dev}, expect: allow")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: shop, groups: [x]}, expect: {status: 401, policy: none, body: 'RBAC: access denied'}")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: other, groups: [dev]}, expect: {status: 403, body: Audiences in Jwt are not allowed, policy: istio-system/jwt, rule: 0}")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, groups: [dev]}, expect: 403")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: shop, exp: -2m}, expect: {status: 401, body: Jwt is expired}")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: shop, groups: [dev], exp: -30s}, expect: allow")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: shop, nbf: 2m}, expect: {status: 401, body: Jwt not yet valid}")]
    [InlineData("as: {iss: 'https://a.example', sub: 7, aud: shop}, expect: {status: 401, body: 'Jwt payload [sub] field is not a string'}")]
    [InlineData("as: {iss: 'https://a.example/', sub: ada, aud: shop}, expect: {status: 401, body: Jwt issuer is not configured}")]
    [InlineData("as: {iss: 'https://b.example', sub: bob, groups: [ops]}, expect: {outcome: allow, rule: 0}")]
    [InlineData("as: {iss: 'https://b.example', sub: bob, groups: [ops]}, tokenIn: {header: authorization}, expect: {status: 401, body: Jwt issuer is not configured}")]
    [InlineData("as: {iss: 'https://b.example', sub: bob, groups: [ops]}, tokenIn: {header: x-other}, expect: {status: 401, principal: none, body: Jwt is missing}")]
    [InlineData("as: {iss: 'https://a.example', sub: ada, aud: shop, groups: [dev]}, tokenIn: {param: access_token}, expect: allow")]
    [InlineData("token: bm90.YQ.dG9rZW4, expect: {status: 401, body: Jwt header is an invalid JSON}")]
    [InlineData("expect: {status: 401, body: Jwt is missing, reason: another token of}")]
    public void Token_OfATest_IsCheckedAsTheGatewayDoes(string test)
    {
        var result = Single($"{{request: 'GET http://h/x', {test}}}");

        Assert.Equal((PolicyTestOutcome.Passed, ""), (result.Outcome, string.Join('\n', result.Differences)));
    }

    [Fact]
    public void NestedClaim_IsSeenByThePolicy()
    {
        const string Policy = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: nested, namespace: istio-system}
            spec: {rules: [{when: [{key: "request.auth.claims[realm][roles]", values: [admin]}]}]}
            """;

        Assert.Empty(Single("{request: 'http://h/', as: {iss: 'https://a.example', sub: s, aud: shop, realm: {roles: [a, admin]}}, expect: allow}", Tokens, Policy).Differences);
        Assert.NotEmpty(Single("{request: 'http://h/', as: {iss: 'https://a.example', sub: s, aud: shop, realm: {roles: 7}}, expect: allow}", Tokens, Policy).Differences);
    }

    [Fact]
    public void RawToken_IsVerifiedWithTheConfiguredKeys()
    {
        var issuer = new TokenIssuer("https://c.example");
        var resources = $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: "https://c.example", jwks: '{{issuer.JwksJson}}'}]}
            """;
        var token = issuer.Mint("ada");

        Assert.Empty(Single($"{{request: 'http://h/', token: {token}, expect: {{outcome: allow, principal: 'https://c.example/ada'}}}}", resources).Differences);
        Assert.Empty(Single($"{{request: 'http://h/', token: {TokenIssuer.BreakSignature(token)}, expect: {{status: 401, body: Jwt verification fails}}}}", resources).Differences);
        Assert.Empty(Single("{request: 'http://h/', as: {iss: 'https://c.example', sub: bob}, expect: {outcome: allow, principal: 'https://c.example/bob'}}", resources).Differences);
    }

    [Fact]
    public void FixedClock_IsWhenTheRequestArrives()
    {
        const string Test = "tests: [{request: 'http://h/x', as: {iss: 'https://a.example', sub: s, aud: shop, groups: dev, exp: 2020-01-01T00:00:00Z}, expect: allow}]";

        Assert.Equal(1, Run($"now: 2019-12-31T23:00:00Z\n{Test}", Tokens, Policies).Passed);
        Assert.Equal(1, Run(Test, Tokens, Policies).Failed);
    }

    [Theory]
    [InlineData("/admin")]
    [InlineData("/x/../admin")]
    [InlineData("//admin")]
    [InlineData("/%61dmin")]
    public void DenyRule_HoldsForEveryReadingOfThePath(string path) =>
        Assert.Empty(Single($"{{request: 'GET http://h{path}', expect: {{outcome: deny, status: 403, policy: no-admin, rule: 0}}}}").Differences);

    [Fact]
    public void ExactMode_ReadsThePathOnceAndAnswers403()
    {
        const string Mesh = "{authorizationDenied: Forbidden, principalWithoutSub: Reject, denyPathReadings: Exact}";

        var report = Run("""
            tests:
            - {request: 'GET http://h//admin', expect: {status: 403, policy: none}}
            - {request: 'GET http://h/admin', expect: {status: 403, policy: no-admin}}
            - {request: 'GET http://h/x', as: {iss: 'https://a.example', aud: shop, groups: dev}, expect: {status: 403, principal: none}}
            """, Mesh, Tokens, Policies);

        Assert.Empty(report.Suites.SelectMany(s => s.Results).SelectMany(r => r.Differences));
    }

    [Fact]
    public void Client_IsWhatTheTestSays()
    {
        const string Policy = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: client, namespace: istio-system}
            spec:
              rules:
              - from: [{source: {ipBlocks: [10.0.0.0/8], remoteIpBlocks: [203.0.113.0/24]}}]
              - from: [{source: {principals: [cluster.local/ns/a/sa/b]}}]
              - to: [{operation: {ports: ["9090"]}}]
              - when: [{key: connection.sni, values: [secret.example]}]
            """;

        var report = Run("""
            tests:
            - {request: 'http://h/', from: {ip: 10.1.2.3, remoteIp: 203.0.113.9}, expect: {rule: 0}}
            - {request: 'http://h/', from: {principal: 'spiffe://cluster.local/ns/a/sa/b'}, expect: {rule: 1}}
            - {request: 'http://h:9090/', expect: {rule: 2}}
            - {request: 'https://h/', from: {sni: secret.example}, expect: {rule: 3}}
            - {request: {host: h, headers: {x-forwarded-client-cert: 'URI=spiffe://cluster.local/ns/a/sa/b'}}, from: 10.1.2.3, expect: 403}
            """, Policy);

        Assert.Empty(report.Suites.SelectMany(s => s.Results).SelectMany(r => r.Differences));
    }

    [Fact]
    public void Route_IsPartOfWhatCanBeExpected()
    {
        const string Routes = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: edge, namespace: istio-system}
            spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: shop, namespace: istio-system}
            spec:
              hosts: [shop.example]
              gateways: [edge]
              http:
              - {match: [{uri: {exact: /old}}], redirect: {uri: /new}, name: moved}
              - {route: [{destination: {host: reviews.default.svc.cluster.local, port: {number: 9080}, subset: v1}}]}
            """;

        var report = Run("""
            defaults: {request: {host: shop.example}}
            tests:
            - {request: /old, expect: {outcome: allow, status: 301, route: {action: redirect, virtualService: shop, name: moved}}}
            - {request: /x, expect: {outcome: allow, status: 503, route: {destination: 'reviews.default:9080', subset: v1}}}
            - {request: 'http://other.example/x', expect: {outcome: allow, status: 404, route: {action: none}}}
            - {request: /x, expect: {route: {destination: 'reviews.default:9081'}}}
            """, Routes);

        Assert.Equal([0, 0, 0, 1], report.Suites[0].Results.Select(r => r.Differences.Length));
        Assert.Contains("expected the route reviews.default:9081, it is to outbound|9080|v1|reviews.default.svc.cluster.local (istio-system/shop spec.http[1])", report.Suites[0].Results[3].Differences);
    }

    [Theory]
    [InlineData("", "failed", "the test does not say what it answers; add `authorizer: allow`")]
    [InlineData("authorizer: allow, ", "passed", "")]
    [InlineData("authorizer: {idp: allow}, ", "passed", "")]
    [InlineData("authorizer: {other: allow}, ", "failed", "does not say what it answers")]
    [InlineData("authorizer: deny, ", "failed", "expected allow, got deny with 403 by istio-system/ask rule 0")]
    [InlineData("authorizer: 401, ", "failed", "expected allow, got deny with 401")]
    [InlineData("authorizer: error, ", "failed", "expected allow, got deny with 503")]
    public void CustomPolicy_EndsAsTheTestSaysThatItsAuthorizerAnswers(string authorizer, string outcome, string difference)
    {
        const string Mesh = "extensionProviders: [{name: idp, envoyExtAuthzHttp: {service: idp.test, port: 80, statusOnError: '503'}}]";

        var result = Single($"{{request: 'http://h/open', {authorizer}expect: allow}}", Mesh, Custom, Idp, Policies);

        Assert.Equal(outcome, result.Outcome.ToString().ToLowerInvariant());
        Assert.Contains(difference, string.Join('\n', result.Differences), StringComparison.Ordinal);
    }

    [Fact]
    public void CustomPolicy_WithoutItsProvider_Denies()
    {
        var result = Single("{request: 'http://h/open', authorizer: allow, expect: allow}", Custom, Policies);

        Assert.Equal(PolicyTestOutcome.Failed, result.Outcome);
        Assert.Contains("`idp` cannot be asked", result.Judgement!.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("idp.test", "passed")]
    [InlineData("nobody.test", "failed")]
    public void CustomPolicy_WhoseProvidersServiceIsUnknown_DeniesAsTheGatewayDoes(string service, string outcome)
    {
        var mesh = $"extensionProviders: [{{name: idp, envoyExtAuthzHttp: {{service: {service}, port: 80}}}}]";

        var result = Single("{request: 'http://h/open', authorizer: allow, expect: allow}", mesh, Custom, Idp, Policies);

        Assert.Equal(outcome, result.Outcome.ToString().ToLowerInvariant());
    }

    [Fact]
    public void CustomPolicies_OfTwoProviders_DenyAsTheGatewayDoesWithoutTheSwitch()
    {
        const string Mesh = """
            extensionProviders:
            - {name: idp, envoyExtAuthzHttp: {service: idp.test, port: 80}}
            - {name: other, envoyExtAuthzHttp: {service: idp.test, port: 80}}
            """;
        var other = Custom.Replace("name: idp", "name: other", StringComparison.Ordinal).Replace("name: ask", "name: ask-other", StringComparison.Ordinal);

        var result = Single("{request: 'http://h/open', authorizer: allow, expect: {status: 403, body: 'RBAC: access denied'}}", Mesh, Custom, other, Idp, Policies);

        Assert.Equal(PolicyTestOutcome.Passed, result.Outcome);
    }

    [Fact]
    public void Policy_ThatDoesNotExist_IsSaidSo() => Assert.Equal(
        ["expected a decision by istio-system/alow-dev, it was by istio-system/allow-dev; no policy of that name applies to this gateway, did you mean istio-system/allow-dev?"],
        Single("{request: 'http://h/open', expect: {policy: istio-system/alow-dev}}").Differences);

    [Fact]
    public void Coverage_CountsWhatTheTestsExercise()
    {
        var report = Run("""
            tests:
            - {request: 'GET http://h/open', expect: allow}
            - {request: 'GET http://h/x', as: {iss: 'https://a.example', sub: s, aud: shop, groups: [dev]}, expect: allow}
            - {request: 'GET http://h/x', as: {iss: 'https://b.example', sub: s, groups: [none]}, skip: later, expect: deny}
            """, Tokens, Policies);

        var coverage = report.Coverage;
        Assert.Equal((2, 0, 1), (report.Passed, report.Failed, report.Skipped));
        Assert.Equal((1, 2), coverage.Of(CoverageKind.Policy));
        Assert.Equal((2, 3), coverage.Of(CoverageKind.Rule));
        Assert.Equal((3, 4), coverage.Of(CoverageKind.Clause));
        Assert.Equal((3, 6), coverage.Of(CoverageKind.Value));
        Assert.Equal((1, 2), coverage.Of(CoverageKind.TokenRule));
        Assert.Equal(100.0 * 10 / 17, coverage.Percent);
        Assert.Equal(
            [
                "DENY istio-system/no-admin: no test matches a rule of it (r1.yaml:11)",
                "DENY istio-system/no-admin spec.rules[0]: no test matches it (r1.yaml:17)",
                "DENY istio-system/no-admin spec.rules[0].to[0].operation.paths: it holds in no test (r1.yaml:17)",
                "DENY istio-system/no-admin spec.rules[0].to[0].operation.paths[0] \"/admin\": no test has a value that it matches (r1.yaml:17)",
                "ALLOW istio-system/allow-dev spec.rules[0].from[0].source.requestPrincipals[1] \"https://b.example/*\": no test has a value that it matches (r1.yaml:6)",
                "ALLOW istio-system/allow-dev spec.rules[0].when[0].values[1] \"ops\": no test has a value that it matches (r1.yaml:8)",
                "istio-system/jwt jwtRules[1] (https://b.example): no test has a token that it accepts (r0.yaml:7)",
            ],
            coverage.Items.Where(i => !i.IsCovered).Select(i => $"{i.Name}: {i.Missing} ({i.Place})"));
    }

    [Fact]
    public void Evaluators_ThatDiffer_FailTheTest()
    {
        var policies = Resources(Tokens, Policies);
        var workload = new WorkloadIdentity();
        var none = ResourceSet.Empty;
        var explainer = GatewayExplainer.Compile(policies, workload, PortMap.Default, new NoKeys(), []);
        var judge = new RequestJudge(
            Authorizer.Compile([], none.Mesh, workload, [], []), new ReferenceAuthorizer([], none.Mesh, workload, []), explainer, new RequestExplainer(none, workload, null), []);
        var suite = PolicyTestFile.Read("t.yaml", "tests: [{request: 'http://h/admin', expect: deny}]").Suite!;

        var judgement = judge.Judge(new RequestDescription { Authority = "h", Port = 80, Target = "/admin" }, suite.Tests[0], DateTimeOffset.UnixEpoch);

        Assert.Contains("the two evaluators of Portcullis differ", judgement.Obstacle, StringComparison.Ordinal);
        Assert.Equal([judgement.Obstacle], new ExpectationCheck([]).Differences(suite.Tests[0].Expect, judgement));
    }

    private const string Custom = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: ask, namespace: istio-system}
        spec: {action: CUSTOM, provider: {name: idp}, rules: [{to: [{operation: {paths: [/open]}}]}]}
        """;

    private const string Idp = """
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: idp, namespace: default}
        spec:
          hosts: [idp.test]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: STATIC
          endpoints: [{address: 127.0.0.1}]
        """;

    private static PolicyTestResult Single(string test, params string[] resources) =>
        Assert.Single(Run($"tests:\n- {test}\n", resources.Length == 0 ? [Tokens, Policies] : resources).Suites[0].Results);

    private static PolicyTestReport Run(string tests, params string[] resources)
    {
        var read = PolicyTestFile.Read("tests.yaml", tests);
        Assert.Empty(read.Problems);
        var problems = new List<Problem>();
        var runner = PolicyTestRunner.Compile(Resources(resources), new WorkloadIdentity(), PortMap.Default, new NoKeys(), problems);
        Assert.DoesNotContain(problems, p => p.Severity == ProblemSeverity.Error);
        return runner.Run([read.Suite!], new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000)));
    }

    /// <summary>A text without a kind is the mesh configuration.</summary>
    private static ResourceSet Resources(params string[] texts)
    {
        var mesh = texts.FirstOrDefault(t => !t.Contains("kind:", StringComparison.Ordinal));
        var read = texts.Where(t => t != mesh).Select((t, i) => ResourceReader.Read($"r{i}.yaml", t)).ToList();
        Assert.DoesNotContain(read.SelectMany(r => r.Problems), p => p.Severity == ProblemSeverity.Error);
        var config = mesh is null ? MeshConfig.Default : MeshConfigReader.Read("mesh.yaml", mesh).Config;
        Assert.NotNull(config);
        return new ResourceSet(read.SelectMany(r => r.Resources), [], "") { Mesh = config };
    }

    private sealed class NoKeys : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => FixedJwksSource.None;
    }
}
