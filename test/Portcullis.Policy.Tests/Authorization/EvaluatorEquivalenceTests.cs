using System.Collections.Immutable;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authorization;

/// <summary>What runs and what reads like the specification must never differ.</summary>
public sealed class EvaluatorEquivalenceTests
{
    private static readonly WorkloadIdentity Workload = new();

    static EvaluatorEquivalenceTests() => Regex.CacheSize = 2000; // the reference builds its expressions on every call

    /// <summary>A million pairs of policies and request take some minutes: <c>PORTCULLIS_EQUIVALENCE_PAIRS=1000000</c>.</summary>
    private static readonly int Pairs = int.TryParse(Environment.GetEnvironmentVariable("PORTCULLIS_EQUIVALENCE_PAIRS"), out var pairs) ? pairs : 23_000;

    [Fact]
    public void Evaluate_RandomPoliciesAndRequests_CompiledIsReference() => Agree(PolicyGenerators.PolicySets, Pairs * 20 / 23);

    /// <summary>With many rules the index decides which are looked at: it must leave out none that matches, and keep the order.</summary>
    [Fact]
    public void Evaluate_ManyPolicies_CompiledIsReference() => Agree(PolicyGenerators.ManyPolicies, Pairs * 3 / 23);

    private static void Agree(Gen<ImmutableArray<AuthorizationPolicy>> policySets, int pairs) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(pairs / 10),
        Prop.ForAll(
            (from mesh in PolicyGenerators.Meshes
             from policies in policySets
             from issuers in Gen.SubListOf(PolicyGenerators.Issuers)
             from requests in PolicyGenerators.Requests.ArrayOf(10)
             select (mesh, policies, issuers, requests)).ToArbitrary(),
            sample =>
            {
                var compiled = Authorizer.Compile(sample.policies, sample.mesh, Workload, sample.issuers, []);
                var reference = new ReferenceAuthorizer(sample.policies, sample.mesh, Workload, sample.issuers);
                foreach (var request in sample.requests)
                {
                    Assert.Equal(reference.Evaluate(in request), compiled.Evaluate(in request));
                    Assert.Equal(reference.EvaluateCustom(in request), compiled.EvaluateCustom(in request));
                }
            }));

    /// <summary>Whatever token is found to pass must have been announced by a challenge; after <c>Forbidden</c> none may pass.</summary>
    [Property(MaxTest = 1500)]
    public Property Evaluate_AnotherTokenPasses_ChallengedNotForbidden() => Prop.ForAll(
        (from mesh in PolicyGenerators.Meshes
         from policies in PolicyGenerators.PolicySets
         from issuers in Gen.SubListOf(PolicyGenerators.Issuers)
         from request in PolicyGenerators.Requests
         from tokens in PolicyGenerators.Claims.ArrayOf(40)
         select (mesh: mesh with { AuthorizationDenied = AuthorizationDeniedMode.Challenge }, policies, issuers, request, tokens)).ToArbitrary(),
        sample =>
        {
            var authorizer = Authorizer.Compile(sample.policies, sample.mesh, Workload, sample.issuers, []);
            var request = sample.request;
            if (authorizer.Evaluate(in request).Outcome != DecisionOutcome.Forbidden || request.Headers.Length > 2)
            {
                return true;
            }

            var acceptable = sample.tokens.Where(t => sample.issuers.Contains(t.Issuer) || sample.issuers.Contains(null));
            return !acceptable.Any(token =>
            {
                var other = request with { Claims = token };
                return authorizer.Evaluate(in other).IsAllowed;
            });
        });

    /// <summary>A comparison of nothing but denials would prove little.</summary>
    [Fact]
    public void Generators_ManySamples_ReachEveryOutcome()
    {
        var mesh = MeshConfig.Default with { TrustDomain = "td1" };
        var outcomes = PolicyGenerators.PolicySets.Sample(400)
            .Zip(PolicyGenerators.Requests.Sample(400), (policies, request) =>
                Authorizer.Compile(policies, mesh, Workload, PolicyGenerators.Issuers, []).Evaluate(in request))
            .ToList();

        Assert.All(Enum.GetValues<DecisionOutcome>(), o => Assert.True(outcomes.Count(d => d.Outcome == o) >= 20, $"{o} is rare"));
        Assert.True(outcomes.Count(d => d.IsAllowed && d.PolicyId is not null) >= 20, "a matching ALLOW is rare");
        Assert.True(outcomes.Count(d => !d.IsAllowed && d.PolicyId is not null) >= 20, "a matching DENY is rare");
    }

    [Fact]
    public void Compile_OrderOfPolicies_DoesNotMatter()
    {
        AuthorizationPolicy[] policies =
        [
            Policies.Of("b", PolicyAction.Deny, [new AuthorizationRule()]),
            Policies.Of("a", PolicyAction.Deny, [new AuthorizationRule()]),
        ];
        var request = new TestRequest();

        foreach (var order in new[] { policies, [.. policies.Reverse()] })
        {
            Assert.Equal("ns[istio-system]-policy[a]-rule[0]", Authorizer.Compile(order, MeshConfig.Default, Workload, [], []).Evaluate(in request).PolicyId);
        }
    }
}
