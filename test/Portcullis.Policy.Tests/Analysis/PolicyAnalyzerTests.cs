using Portcullis.Policy.Analysis;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Analysis;

public sealed class PolicyAnalyzerTests
{
    private const string Reject = "{rules: [{from: [{source: {requestPrincipals: [\"*\"]}}]}]}";

    [Fact]
    public void Analyze_AFinding_HasItsFieldAndLine()
    {
        var problem = Analyzed.Specs("\n  rules:\n  - to:\n    - operation:\n        paths: [/ok, \"/a?b\"]").Single(p => p.Code == ProblemCodes.UnreachablePath);

        Assert.Equal("spec.rules[0].to[0].operation.paths[1]", problem.FieldPath);
        Assert.Equal((13, 22), (problem.Position!.Value.Line, problem.Position.Value.Column));
        Assert.NotNull(problem.Remedy);
    }

    [Fact]
    public void Analyze_APolicyOfAnotherGateway_IsNotLookedAt() =>
        Assert.Empty(Analyzed.Yaml(MeshConfig.Default, [Analyzed.Http], "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: shop}\nspec: {rules: [{to: [{operation: {methods: [get]}}]}]}"));

    [Theory]
    [InlineData("""{rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]}""", false)]
    [InlineData("""{rules: [{when: [{key: "request.auth.claims[groups]", values: [dev]}]}]}""", false)]
    [InlineData("""{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}]}]}""", false)]
    [InlineData("""{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}""", true)]
    [InlineData("""{rules: [{}]}""", true)]
    [InlineData("""{rules: [{to: [{operation: {paths: [/public]}}]}]}""", false)] // all else is denied
    public void Analyze_TokensWithoutAPolicyThatRequiresThem_AreNamed(string spec, bool named) =>
        Assert.Equal(named, Analyzed.Specs(spec).Any(p => p.Code == ProblemCodes.TokenNotRequired));

    [Fact]
    public void Analyze_ADryRun_RequiresNothing()
    {
        const string Rehearsal = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: istio-system, annotations: {istio.io/dry-run: \"true\"}}\nspec: " + Reject;

        Assert.Contains(Analyzed.Yaml(MeshConfig.Default, [Analyzed.Http], Analyzed.Issuer, Rehearsal), p => p.Code == ProblemCodes.TokenNotRequired);
    }

    [Theory]
    [InlineData("""{rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]}""", true)]
    [InlineData("""{rules: [{from: [{source: {requestPrincipals: ["*"]}}]}, {to: [{operation: {paths: [/healthz]}}]}]}""", false)]
    [InlineData("""{rules: [{from: [{source: {requestPrincipals: ["*"]}}]}, {to: [{operation: {paths: ["/health*"]}}]}]}""", false)]
    [InlineData("""{rules: [{to: [{operation: {paths: [/shop]}}]}]}""", false)]
    [InlineData("""{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}]}]}""", true)]
    [InlineData("""{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {notPaths: [/healthz]}}]}]}""", false)]
    [InlineData("""{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {paths: ["/api/*"]}}]}]}""", false)]
    public void Analyze_HealthPathsThatNeedAToken_AreNoted(string spec, bool noted) =>
        Assert.Equal(noted, Analyzed.Specs(spec).Any(p => p is { Code: ProblemCodes.HealthProtected, Severity: ProblemSeverity.Note }));

    [Theory]
    [InlineData("https://i.example/alice", null)]
    [InlineData("https://i.example/*", null)]
    [InlineData("*", null)]
    [InlineData("*/alice", null)]
    [InlineData("*alice", "PC3022")]
    [InlineData("alice", "PC3004")]
    [InlineData("*/*", "PC3005")]
    [InlineData("https://i*", "PC3005")]
    [InlineData("https://i.example/a/b", "PC3005")]
    [InlineData("https://i.example//alice", "PC3003")]
    [InlineData("https://I.example/alice", "PC3003")]
    [InlineData("https://j.example/alice", "PC3002")]
    public void Analyze_ARequestPrincipal_IsHeldAgainstTheIssuers(string principal, string? code) =>
        Assert.Equal(code is null ? [] : [code], Analyzed.Specs($$$"""{rules: [{from: [{source: {requestPrincipals: ["{{{principal}}}"]}}]}]}""").Codes());

    [Fact]
    public void Analyze_TokensWithoutAnyIssuer_AreNamedOnceAPolicy()
    {
        var problems = Analyzed.Yaml(
            MeshConfig.Default, [Analyzed.Http], "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: istio-system}\nspec: {rules: [{from: [{source: {requestPrincipals: [\"https://i/a\", \"https://i/b\"]}}], when: [{key: request.auth.audiences, values: [a]}]}]}");

        Assert.Equal([ProblemCodes.UnknownIssuer], problems.Select(p => p.Code));
    }

    [Fact]
    public void Analyze_IssuersThatDifferByASlash_AreNamed() =>
        Assert.Contains(
            Analyzed.Yaml(MeshConfig.Default, [], Analyzed.Issuer, Analyzed.Issuer.Replace("tokens", "more", StringComparison.Ordinal).Replace("\"https://i.example\"", "\"https://i.example/\"", StringComparison.Ordinal)),
            p => p.Code == ProblemCodes.NearIssuer);

    [Theory]
    [InlineData("DEFAULT", "/app", null)]
    [InlineData("DEFAULT", "/app/*", null)]
    [InlineData("DEFAULT", "*", null)]
    [InlineData("DEFAULT", "/.well-known/*", null)]
    [InlineData("DEFAULT", "//app", null)]
    [InlineData("DEFAULT", "/app/{**}", null)]
    [InlineData("DEFAULT", "/app%2Fx", null)]
    [InlineData("DEFAULT", "app", null, true)]
    [InlineData("DEFAULT", "/app?x=1", null, true)]
    [InlineData("DEFAULT", "/app#top", null, true)]
    [InlineData("DEFAULT", "/a b", null, true)]
    [InlineData("DEFAULT", "/a/../b", null, true)]
    [InlineData("DEFAULT", "/a/%2E%2e/b", null, true)]
    [InlineData("DEFAULT", "/a/./b", "/a/b", true)]
    [InlineData("DEFAULT", "/%61pp", "/app", true)]
    [InlineData("DEFAULT", "/%61pp/*", "/app/*", true)]
    [InlineData("DEFAULT", "/a\\\\b", "/a/b", true)]
    [InlineData("NONE", "/a/../b", null)]
    [InlineData("MERGE_SLASHES", "//app", "/app", true)]
    [InlineData("MERGE_SLASHES", "/app%2Fx", null)]
    [InlineData("DECODE_AND_MERGE_SLASHES", "/app%2fx", "/app/x", true)]
    public void Analyze_APath_IsHeldAgainstTheNormalisation(string mode, string path, string? better, bool unreachable = false)
    {
        var mesh = MeshConfig.Default with { PathNormalization = Mode(mode) };

        var found = Analyzed.Specs(mesh, $$$"""{rules: [{to: [{operation: {paths: ["{{{path}}}"]}}]}]}""").SingleOrDefault(p => p.Code == ProblemCodes.UnreachablePath);

        Assert.Equal(unreachable, found is not null);
        Assert.Equal(better, found?.Fix?.NewText);
    }

    [Theory]
    [InlineData("{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}", DenyPathReadingsMode.All, "DEFAULT", false)]
    [InlineData("{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}", DenyPathReadingsMode.Exact, "DEFAULT", true)]
    [InlineData("{action: DENY, rules: [{to: [{operation: {paths: [/admin]}}]}]}", DenyPathReadingsMode.Exact, "MERGE_SLASHES", false)]
    [InlineData("{action: DENY, rules: [{to: [{operation: {paths: [\"*\"]}}]}]}", DenyPathReadingsMode.Exact, "DEFAULT", false)]
    [InlineData("{rules: [{to: [{operation: {notPaths: [/admin]}}]}]}", DenyPathReadingsMode.All, "DEFAULT", true)]
    [InlineData("{rules: [{to: [{operation: {paths: [/admin]}}]}]}", DenyPathReadingsMode.Exact, "DEFAULT", false)]
    public void Analyze_APathRuleThatSlashesGetAround_IsNamed(string spec, DenyPathReadingsMode readings, string mode, bool named) =>
        Assert.Equal(
            named, Analyzed.Specs(MeshConfig.Default with { DenyPathReadings = readings, PathNormalization = Mode(mode) }, spec).Any(p => p.Code == ProblemCodes.SlashBypass));

    [Theory]
    [InlineData("paths", "/info*", "PC3022")]
    [InlineData("paths", "/info/*", null)]
    [InlineData("paths", "/*", null)]
    [InlineData("paths", "*.css", "PC3022")]
    [InlineData("paths", "/a*b", "PC3012")]
    [InlineData("paths", "*x*", "PC3012")]
    [InlineData("paths", "/a/{*}/b", null)]
    [InlineData("hosts", "*.shop.example", null)]
    [InlineData("hosts", "*shop.example", "PC3022")]
    [InlineData("hosts", "shop.example*", "PC3022")]
    [InlineData("hosts", "shop.example:*", null)]
    [InlineData("hosts", "shop.example", null)]
    [InlineData("hosts", "shop.example:443", "PC3053")]
    [InlineData("hosts", "shop.example:9999", "PC3053")]
    [InlineData("hosts", "shop.example:8080", null)]
    [InlineData("methods", "get", "PC3013")]
    [InlineData("methods", "GET", null)]
    [InlineData("methods", "lock", null)]
    [InlineData("ports", "8080", null)]
    [InlineData("ports", "80", "PC3050")]
    [InlineData("ports", "9999", "PC3050")]
    public void Analyze_AValueOfAnOperation_IsNamedForWhatItReallyMeans(string field, string value, string? code) =>
        Assert.Equal(code is null ? [] : [code], Analyzed.Specs($$$"""{rules: [{to: [{operation: {{{{field}}}: ["{{{value}}}"]}}]}]}""").Codes());

    [Fact]
    public void Analyze_AStarInAHeader_IsOnlyNoted() =>
        Assert.Equal(
            ProblemSeverity.Note,
            Analyzed.Specs("{rules: [{when: [{key: \"request.headers[accept]\", values: [\"a/*;q=1\"]}]}]}").Single(p => p.Code == ProblemCodes.LiteralStar).Severity);

    [Theory]
    [InlineData("request.auth.claims[level]", "5", "PC3060")]
    [InlineData("request.auth.claims[vip]", "true", "PC3060")]
    [InlineData("request.auth.claims[group]", "dev", null)]
    [InlineData("request.auth.audiences", "123", null)]
    [InlineData("request.headers[x-version]", "5", null)]
    [InlineData("request.auth.claims[scope]", "read write", "PC3061")]
    [InlineData("request.auth.claims[title]", "team lead", null)]
    [InlineData("destination.port", "80", "PC3050")]
    [InlineData("source.principal", "cluster.local/ns/a/sa/b", "PC3011")]
    public void Analyze_AConditionThatCanNeverHold_IsNamed(string key, string value, string? code) =>
        Assert.Equal(code is null ? [] : [code], Analyzed.Specs($$$"""{rules: [{when: [{key: "{{{key}}}", values: ["{{{value}}}"]}]}]}""").Codes());

    [Theory]
    [InlineData("{rules: [{when: [{key: \"request.auth.claims[group]\", notValues: [banned]}]}]}", true)]
    [InlineData("{rules: [{from: [{source: {notRequestPrincipals: [\"https://i.example/bob\"]}}]}]}", true)]
    [InlineData("{rules: [{from: [{source: {requestPrincipals: [\"*\"]}}], when: [{key: \"request.auth.claims[group]\", notValues: [banned]}]}]}", false)]
    [InlineData("{rules: [{from: [{source: {notRequestPrincipals: [\"*\"]}}]}]}", false)] // says it: without a token
    [InlineData("{action: DENY, rules: [{from: [{source: {notRequestPrincipals: [\"*\"]}}]}]}", false)]
    [InlineData("{rules: [{when: [{key: \"request.headers[x-t]\", notValues: [a]}]}]}", true)]
    [InlineData("{rules: [{when: [{key: \"request.headers[x-t]\", values: [\"*\"], notValues: [a]}]}]}", false)]
    public void Analyze_AnExclusionThatAbsencePasses_IsNamed(string spec, bool named) =>
        Assert.Equal(named, Analyzed.Specs(spec).Any(p => p.Code == ProblemCodes.AbsentPasses));

    [Theory]
    [InlineData("{rules: [{to: [{operation: {paths: [/a], notPaths: [/a]}}]}]}", true)]
    [InlineData("{rules: [{to: [{operation: {paths: [/a, /b], notPaths: [/a]}}]}]}", false)]
    [InlineData("{rules: [{to: [{operation: {notPaths: [\"*\"]}}]}]}", true)]
    [InlineData("{rules: [{from: [{source: {ipBlocks: [10.1.0.0/16], notIpBlocks: [10.0.0.0/8]}}]}]}", true)]
    [InlineData("{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8], notIpBlocks: [10.1.0.0/16]}}]}]}", false)]
    [InlineData("{rules: [{when: [{key: destination.port, values: [\"8080\"]}, {key: destination.port, values: [\"80\"]}]}]}", true)]
    [InlineData("{rules: [{when: [{key: \"request.auth.claims[g]\", values: [a]}, {key: \"request.auth.claims[g]\", values: [b]}]}]}", false)] // a list has both
    public void Analyze_AContradiction_IsNamed(string spec, bool named) => Assert.Equal(named, Analyzed.Specs(spec).Any(p => p.Code == ProblemCodes.NeverMatches));

    [Theory]
    [InlineData("[{from: [{source: {requestPrincipals: [\"*\"]}}]}, {to: [{operation: {methods: [GET]}}]}]", true)]
    [InlineData("[{to: [{operation: {paths: [\"/api/*\"]}}]}, {from: [{source: {requestPrincipals: [\"*\"]}}]}]", true)]
    [InlineData("[{from: [{source: {requestPrincipals: [\"*\"]}}]}, {when: [{key: source.ip, values: [10.0.0.1]}]}]", true)]
    [InlineData("[{from: [{source: {requestPrincipals: [\"*\"]}}]}, {to: [{operation: {paths: [/healthz, /readyz]}}]}]", false)]
    [InlineData("[{from: [{source: {requestPrincipals: [\"*\"]}}], to: [{operation: {methods: [GET]}}]}]", false)]
    [InlineData("[{from: [{source: {ipBlocks: [10.0.0.1]}}]}, {from: [{source: {requestPrincipals: [\"*\"]}}]}]", false)]
    public void Analyze_ARuleSplitByADash_IsNamed(string rules, bool named) =>
        Assert.Equal(named, Analyzed.Specs($"{{rules: {rules}}}").Any(p => p.Code == ProblemCodes.SplitRule));

    [Fact]
    public void Analyze_AllowWithoutRules_IsNotedWhenItStandsAlone()
    {
        Assert.Contains(Analyzed.Specs("{}"), p => p.Code == ProblemCodes.AllowsNothing);
        Assert.DoesNotContain(Analyzed.Specs("{}", Reject), p => p.Code == ProblemCodes.AllowsNothing);
    }

    [Fact]
    public void Analyze_ADenyRuleAboutHttp_ClosesTcpPortsOnlyWhereThereAreAny()
    {
        const string Deny = "{action: DENY, rules: [{to: [{operation: {methods: [PUT]}}]}]}";

        Assert.DoesNotContain(Analyzed.Specs(Deny), p => p.Code == ProblemCodes.DenyClosesTcp);
        Assert.Contains(Analyzed.Specs([Analyzed.Http, Analyzed.Tcp], Deny), p => p.Code == ProblemCodes.DenyClosesTcp);
        Assert.DoesNotContain(Analyzed.Specs([Analyzed.Http, Analyzed.Tcp], Deny.Replace("methods", "ports: [\"8080\"], methods", StringComparison.Ordinal)), p => p.Code == ProblemCodes.DenyClosesTcp);
    }

    [Fact]
    public void Analyze_HttpOnATcpPort_IsNamed() =>
        Assert.Contains(Analyzed.Specs([Analyzed.Http, Analyzed.Tcp], "{rules: [{to: [{operation: {ports: [\"9000\"], paths: [/a]}}]}]}"), p => p.Code == ProblemCodes.HttpFieldOnTcp);

    [Theory]
    [InlineData("www.shop.example", null)]
    [InlineData("WWW.shop.example", null)]
    [InlineData("a.b.shop.example", null)]
    [InlineData("shop.example", "PC3051")]
    [InlineData("*.example", null)]
    [InlineData("*.other", "PC3051")]
    [InlineData("www.*", null)]
    [InlineData("exact.test", null)]
    [InlineData("exact.test:*", null)]
    [InlineData("other.test", "PC3051")]
    public void Analyze_AHost_IsHeldAgainstTheGateways(string host, string? code) =>
        Assert.Equal(
            code is null ? [] : [code],
            Analyzed.Specs([Analyzed.Http with { Hosts = ["*.shop.example", "exact.test"] }], $$$"""{rules: [{to: [{operation: {hosts: ["{{{host}}}"]}}]}]}""").Codes().Where(c => c == ProblemCodes.HostNotServed));

    [Theory]
    [InlineData("DENY", "[h.example]", 80, ProblemSeverity.Warning)]
    [InlineData("DENY", "[h.example, \"h.example:*\"]", 80, null)]
    [InlineData("DENY", "[\"*\"]", 80, null)]
    [InlineData("ALLOW", "[h.example]", 80, null)]
    [InlineData("ALLOW", "[h.example]", 9080, ProblemSeverity.Note)]
    [InlineData("ALLOW", "[h.example, \"h.example:9080\"]", 9080, null)]
    public void Analyze_AHostWithoutItsPort_IsNamedWhereItMatters(string action, string hosts, int port, ProblemSeverity? severity) =>
        Assert.Equal(
            severity,
            Analyzed.Specs([Analyzed.Http with { Declared = [port] }], $"{{action: {action}, rules: [{{to: [{{operation: {{hosts: {hosts}}}}}]}}]}}")
                .FirstOrDefault(p => p.Code == ProblemCodes.HostWithoutPort)?.Severity);

    [Fact]
    public void Analyze_ADuplicate_CanBeRemoved()
    {
        var problem = Analyzed.Specs("{rules: [{to: [{operation: {paths: [/a, /b, /a]}}]}]}").Single(p => p.Code == ProblemCodes.DuplicateValue);

        Assert.Equal(("spec.rules[0].to[0].operation.paths[2]", new SuggestedFix("/a", null)), (problem.FieldPath, problem.Fix));
    }

    [Fact]
    public void Analyze_WhenADocumentWasRefused_NothingIsSaidAboutWhatIsMissing()
    {
        var read = ResourceReader.Read("test.yaml", Analyzed.Issuer + "\n---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: {rule: []}");

        Assert.Empty(PolicyAnalyzer.Analyze(ResourceSetBuilder.Build([read], [], MeshConfig.Default, ""), new WorkloadIdentity(), [Analyzed.Http]));
    }

    [Theory]
    [InlineData("""{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}""", "PC3070 PC3072")]
    [InlineData("""{"keys": [{"kty": "RSA", "e": "AQAB", "n": "4lIkZXpSjf-NeLzEwm2UYTq1Ck9KbyRTkGYdjUR6Qdy_LkTBKA2cVc0UQNqxNpyCzTtk7VHPVV1cVSwKVL5M0w"}]}""", "PC3070 PC3072")]
    [InlineData("""{"keys": [{"kty": "OKP", "kid": "a"}, {"kty": "OKP"}]}""", "PC3070 PC3074")]
    [InlineData("""{"keys": [{"kty": "OKP", "kid": "a"}, {"kty": "OKP", "kid": "a"}]}""", "PC3070 PC3074")]
    [InlineData("""{"keys": [{"kty": "OKP"}]}""", "PC3070")]
    [InlineData("""{"keys": []}""", "")]
    [InlineData("nonsense", "")]
    public void Analyze_KeysInThePolicy_AreLookedAt(string jwks, string codes) =>
        Assert.Equal(codes.Split(' ', StringSplitOptions.RemoveEmptyEntries), Analyzed.Yaml(MeshConfig.Default, [], Analyzed.Issuer.Replace("jwksUri: \"https://i.example/jwks\"", $"jwks: '{jwks}'", StringComparison.Ordinal)).Codes());

    private static PathNormalizationMode Mode(string name) => name switch
    {
        "NONE" => PathNormalizationMode.None,
        "MERGE_SLASHES" => PathNormalizationMode.MergeSlashes,
        "DECODE_AND_MERGE_SLASHES" => PathNormalizationMode.DecodeAndMergeSlashes,
        _ => PathNormalizationMode.Default,
    };
}
