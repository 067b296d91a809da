using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Portcullis.Policy.Analysis;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Tests.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Analysis;

public sealed class CoverageAnalysisTests
{
    [Theory]
    [InlineData("{}", "{to: [{operation: {paths: [/a]}}]}", true)]
    [InlineData("{to: [{operation: {paths: [\"/a/*\"]}}]}", "{to: [{operation: {paths: [/a/b, /a/c]}}]}", true)]
    [InlineData("{to: [{operation: {paths: [\"/a/*\"]}}]}", "{to: [{operation: {paths: [/a/b, /c]}}]}", false)]
    [InlineData("{to: [{operation: {paths: [\"/a/*\"]}}]}", "{to: [{operation: {paths: [\"/a/{*}\"]}}]}", true)]
    [InlineData("{to: [{operation: {paths: [\"/a/{*}\"]}}]}", "{to: [{operation: {paths: [/a/b]}}]}", true)]
    [InlineData("{to: [{operation: {paths: [\"/a/{*}\"]}}]}", "{to: [{operation: {paths: [\"/a/*\"]}}]}", false)]
    [InlineData("{to: [{operation: {paths: [\"*.css\"]}}]}", "{to: [{operation: {paths: [/x.css]}}]}", true)]
    [InlineData("{to: [{operation: {hosts: [\"*.example\"]}}]}", "{to: [{operation: {hosts: [A.EXAMPLE]}}]}", true)]
    [InlineData("{to: [{operation: {methods: [GET]}}]}", "{to: [{operation: {methods: [GET], paths: [/a]}}]}", true)]
    [InlineData("{to: [{operation: {methods: [GET], paths: [/a]}}]}", "{to: [{operation: {methods: [GET]}}]}", false)]
    [InlineData("{from: [{source: {requestPrincipals: [\"*\"]}}]}", "{from: [{source: {requestPrincipals: [\"https://i.example/a\"]}}]}", true)]
    [InlineData("{from: [{source: {requestPrincipals: [\"https://i.example/*\"]}}]}", "{from: [{source: {requestPrincipals: [\"https://i.example/a\"]}}]}", true)]
    [InlineData("{from: [{source: {requestPrincipals: [\"https://i.example/*\"]}}]}", "{from: [{source: {requestPrincipals: [\"*\"]}}]}", false)]
    [InlineData("{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}", "{from: [{source: {ipBlocks: [10.1.2.3]}}]}", true)]
    [InlineData("{from: [{source: {ipBlocks: [10.0.0.0/8]}}, {source: {ipBlocks: [11.0.0.0/8]}}]}", "{from: [{source: {ipBlocks: [11.1.2.3]}}]}", true)]
    [InlineData("{to: [{operation: {notPaths: [/a]}}]}", "{to: [{operation: {paths: [/b]}}]}", true)]
    [InlineData("{to: [{operation: {notPaths: [/a]}}]}", "{to: [{operation: {paths: [/a]}}]}", false)]
    [InlineData("{when: [{key: \"request.auth.claims[g]\", values: [a, b]}]}", "{when: [{key: \"request.auth.claims[g]\", values: [a]}]}", true)]
    [InlineData("{when: [{key: \"request.auth.claims[g]\", notValues: [b]}]}", "{when: [{key: \"request.auth.claims[g]\", values: [a]}]}", false)] // a list may hold both
    public void Analyze_TwoAllowRules_TheCoveredOneIsNamed(string wide, string narrow, bool covered)
    {
        Assert.Equal(covered, Find(Analyzed.Specs($"{{rules: [{wide}]}}", $"{{rules: [{narrow}]}}"), "p1"));
        Assert.Equal(covered, Find(Analyzed.Specs($"{{rules: [{narrow}]}}", $"{{rules: [{wide}]}}"), "p0"));

        static bool Find(IEnumerable<Problem> problems, string policy) => problems.Any(p => p.Code == ProblemCodes.Shadowed && p.Resource!.Value.Name == policy);
    }

    [Fact]
    public void Analyze_TwoEqualRules_OnlyTheLaterIsNamed()
    {
        const string Rule = "{rules: [{to: [{operation: {paths: [/a]}}]}]}";

        Assert.Equal("p1", Assert.Single(Analyzed.Specs(Rule, Rule), p => p.Code == ProblemCodes.Shadowed).Resource!.Value.Name);
    }

    [Fact]
    public void Analyze_AnAllowBehindADeny_IsNamed()
    {
        const string Deny = "{action: DENY, rules: [{to: [{operation: {paths: [\"/admin/*\"]}}]}]}";

        Assert.Contains(Analyzed.Specs(Deny, "{rules: [{to: [{operation: {paths: [/admin/a]}}]}]}"), p => p.Code == ProblemCodes.DenyWins);
        Assert.DoesNotContain(Analyzed.Specs(Deny, "{rules: [{to: [{operation: {paths: [/admin]}}]}]}"), p => p.Code == ProblemCodes.DenyWins);
        Assert.DoesNotContain(
            Analyzed.Specs("{action: DENY, rules: [{from: [{source: {notRequestPrincipals: [\"*\"]}}]}]}", "{rules: [{to: [{operation: {paths: [/admin]}}]}]}"), p => p.Code == ProblemCodes.DenyWins);
    }

    /// <summary>The analysis may miss a superfluous rule, but never calls one superfluous that is not: without them all, every request is decided as before.</summary>
    [Property(MaxTest = 1000)]
    public Property Analyze_SuperfluousRulesRemoved_NothingChanges() => Prop.ForAll(
        (from mesh in PolicyGenerators.Meshes
         from policies in PolicyGenerators.PolicySets
         from more in PolicyGenerators.PolicySets
         from requests in PolicyGenerators.Requests.ArrayOf(20)
         select (mesh, policies: policies.Concat(more).Where(IsValid).ToList(), requests)).ToArbitrary(),
        sample =>
        {
            var policies = sample.policies.Select((p, i) => p with { Metadata = p.Metadata with { Name = $"p{i}" } }).ToList();
            var set = new ResourceSet(policies, [], "") { Mesh = sample.mesh };
            var superfluous = PolicyAnalyzer.Analyze(set, new WorkloadIdentity(), [])
                .Where(p => p.Code is ProblemCodes.Shadowed or ProblemCodes.DenyWins)
                .Select(p => (p.Resource!.Value, p.FieldPath))
                .ToHashSet();
            var rest = policies.Select(p => p with { Rules = [.. p.Rules.Where((_, i) => !superfluous.Contains((p.Id, $"spec.rules[{i}]")))] });
            var before = Authorizer.Compile(policies, sample.mesh, new WorkloadIdentity(), PolicyGenerators.Issuers, []);
            var after = Authorizer.Compile(rest, sample.mesh, new WorkloadIdentity(), PolicyGenerators.Issuers, []);
            foreach (var request in sample.requests)
            {
                Assert.Equal(before.Evaluate(in request).Outcome == DecisionOutcome.Allowed, after.Evaluate(in request).Outcome == DecisionOutcome.Allowed);
            }
        });

    [Fact]
    public void Analyze_TenThousandPolicies_IsDoneInSeconds()
    {
        var specs = Enumerable.Range(0, 10_000).Select(i =>
            $$$"""{action: {{{(i % 5 == 0 ? "DENY" : "ALLOW")}}}, rules: [{from: [{source: {requestPrincipals: ["https://i.example/user-{{{i}}}"]}}], to: [{operation: {hosts: ["h{{{i % 100}}}.example"], methods: [GET], paths: ["/api/{{{i}}}/*"]}}]}]}""").ToArray();
        Analyzed.Specs(specs[..10]);
        var started = Stopwatch.GetTimestamp();

        var problems = Analyzed.Specs(specs);

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30), $"{Stopwatch.GetElapsedTime(started)}");
        Assert.DoesNotContain(problems, p => p.Code is ProblemCodes.Shadowed or ProblemCodes.DenyWins);
    }

    /// <summary>What reading refuses is never analysed.</summary>
    private static bool IsValid(AuthorizationPolicy policy)
    {
        var problems = new List<Problem>();
        Authorizer.Compile([policy with { Selection = WorkloadSelection.All }], MeshConfig.Default, new WorkloadIdentity(), [], problems);
        return !problems.Exists(p => p.Severity == ProblemSeverity.Error) && policy.Action is PolicyAction.Allow or PolicyAction.Deny;
    }
}
