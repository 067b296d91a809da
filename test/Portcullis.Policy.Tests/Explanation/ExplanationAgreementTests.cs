using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Explanation;
using Portcullis.Policy.Tests.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Explanation;

/// <summary>What is explained must be what the running program decides.</summary>
public sealed class ExplanationAgreementTests
{
    private static readonly WorkloadIdentity Workload = new();

    static ExplanationAgreementTests() => Regex.CacheSize = 2000;

    [Property(MaxTest = 500)]
    public Property ExplainPolicies_RandomPoliciesAndRequests_DecidesAsTheCompiledProgram() => Prop.ForAll(
        (from mesh in PolicyGenerators.Meshes
         from policies in PolicyGenerators.PolicySets
         from issuers in Gen.SubListOf(PolicyGenerators.Issuers)
         from requests in PolicyGenerators.Requests.ArrayOf(6)
         select (mesh, policies, issuers, requests)).ToArbitrary(),
        sample =>
        {
            var compiled = Authorizer.Compile(sample.policies, sample.mesh, Workload, sample.issuers, []);
            var explainer = new RequestExplainer(
                new ResourceSet([.. sample.policies, TokenRules(sample.issuers)], [], "") { Mesh = sample.mesh }, Workload, null);
            foreach (var request in sample.requests)
            {
                var decision = compiled.Evaluate(in request);
                var explained = explainer.ExplainPolicies(in request);

                Assert.Equal(decision.IsAllowed, explained.IsAllowed);
                Assert.Equal(decision.PolicyId, explained.PolicyId);
                Assert.Equal(decision.Outcome switch { DecisionOutcome.Allowed => 200, DecisionOutcome.Challenge => 401, _ => 403 }, explained.StatusCode);
                Assert.Equal(decision.DenyShadow?.PolicyId, Shadow(explained, "DENY"));
                Assert.Equal(decision.AllowShadow?.PolicyId, Shadow(explained, "ALLOW"));
                Assert.Equal(compiled.EvaluateCustom(in request)?.PolicyId, First(explained.Policies.Where(p => p is { Action: "CUSTOM", IsDryRun: false })));
            }
        });

    [Property(MaxTest = 300)]
    public Property ExplainPolicies_DeniedForWantOfAnAllow_NearMissesCountWhatIsMissing() => Prop.ForAll(
        (from policies in PolicyGenerators.PolicySets
         from request in PolicyGenerators.Requests
         select (policies, request)).ToArbitrary(),
        sample =>
        {
            var explainer = new RequestExplainer(new ResourceSet(sample.policies, [], ""), Workload, null);
            var request = sample.request;
            var explained = explainer.ExplainPolicies(in request);

            Assert.All(explained.NearMisses, m => Assert.Equal(m.Total, m.Held + m.Missing.Length));
            Assert.All(explained.NearMisses, m => Assert.NotEmpty(m.Missing));
            Assert.Equal(explained.NearMisses.Select(m => m.Missing.Length).Order(), explained.NearMisses.Select(m => m.Missing.Length));
            Assert.Equal(explained.IsAllowed ? "deny" : "allow", explained.SmallestChange!.To);
        });

    private static RequestAuthentication TokenRules(IEnumerable<string?> issuers) => new()
    {
        ApiVersion = "security.istio.io/v1",
        Kind = "RequestAuthentication",
        Metadata = new() { Name = "jwt", Namespace = "istio-system" },
        Origin = Policies.Of("jwt", PolicyAction.Allow, []).Origin,
        JwtRules = [.. issuers.Select(i => new JwtRule { Issuer = i })],
    };

    private static string? Shadow(DecisionExplanation explained, string action) => First(explained.Policies.Where(p => p.Action == action && p.IsDryRun));

    private static string? First(IEnumerable<PolicyExplanation> policies) =>
        policies.SelectMany(p => p.Rules).Where(r => r.Matches).Select(r => r.Id).Order(StringComparer.Ordinal).FirstOrDefault();
}
