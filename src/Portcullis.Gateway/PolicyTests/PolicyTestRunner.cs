using System.Collections.Immutable;
using Portcullis.Gateway.Explanation;
using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Policy;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;
using Portcullis.Routing;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>
/// Runs policy tests against one revision of the resources: for the command line, and for a console that asks which tests a change would flip. Nothing is sent
/// and nothing is listened on. Safe for concurrent use.
/// </summary>
public sealed class PolicyTestRunner
{
    private readonly RequestJudge _judge;
    private readonly TestRequests _requests;
    private readonly ExpectationCheck _check;
    private readonly ImmutableArray<AuthorizationPolicy> _policies;
    private readonly ImmutableArray<RequestAuthentication> _authentications;

    private readonly string _host;

    private PolicyTestRunner(
        RequestJudge judge, TestRequests requests, ImmutableArray<AuthorizationPolicy> policies, ImmutableArray<RequestAuthentication> authentications, string host)
    {
        (_judge, _requests, _policies, _authentications, _host) = (judge, requests, policies, authentications, host);
        _check = new ExpectationCheck([.. policies.Cast<Resource>().Concat(authentications).Select(p => $"{p.Metadata.Namespace}/{p.Metadata.Name}").Distinct()]);
    }

    /// <summary>Compiles resources as the gateway does.</summary>
    /// <param name="resources">What the author wrote.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="ports">Ports really bound.</param>
    /// <param name="keys">Finds remote key sets: only tests with a `token` of their own need them.</param>
    /// <param name="problems">Receives what compiling finds.</param>
    public static PolicyTestRunner Compile(ResourceSet resources, WorkloadIdentity workload, PortMap ports, IJwksResolver keys, ICollection<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(resources);
        workload = resources.Mesh.RootNamespace is { } root ? workload with { RootNamespace = root } : workload;
        var tokens = new TestTokens();
        resources = tokens.AddKeyTo(resources);
        ImmutableArray<RequestAuthentication> authentications =
            [.. resources.OfType<RequestAuthentication>().Where(r => PolicyAttachment.AppliesTo(r, r.Selection, workload))];
        ImmutableArray<string?> issuers = [.. authentications.SelectMany(a => a.JwtRules).Select(r => r.Issuer)];
        var policies = resources.OfType<AuthorizationPolicy>().Where(p => PolicyAttachment.AppliesTo(p, p.Selection, workload)).ToImmutableArray();
        var routing = RoutingSnapshot.Compile(resources, workload, resources.Mesh, ports, []);
        var providers = CustomProviders.Resolve(resources, workload, routing, CustomProviders.AllowsSeveral());
        var judge = new RequestJudge(
            Authorizer.Compile(policies, resources.Mesh, workload, issuers, problems),
            new ReferenceAuthorizer(policies, resources.Mesh, workload, issuers),
            GatewayExplainer.Compile(WithoutCustom(resources), workload, ports, tokens.AddKeyTo(keys), problems),
            new RequestExplainer(resources, workload, authenticator: null),
            [.. providers.Select(p => (p, Authorizer.Compile(p.Policies, resources.Mesh, workload, [], [])))]);
        return new PolicyTestRunner(judge, new TestRequests(tokens, authentications), policies, authentications, HostOf(resources));
    }

    /// <summary>Runs tests.</summary>
    /// <param name="suites">The tests.</param>
    /// <param name="time">Says when a request arrives, where a suite does not; and measures.</param>
    /// <param name="filter">Which tests are run; <see langword="null"/> for all.</param>
    public PolicyTestReport Run(IEnumerable<PolicyTestSuite> suites, TimeProvider time, Func<PolicyTest, bool>? filter = null)
    {
        ArgumentNullException.ThrowIfNull(suites);
        ArgumentNullException.ThrowIfNull(time);
        var start = time.GetTimestamp();
        var coverage = new CoverageCollector(_judge.Shape(), _policies, _authentications);
        var results = suites
            .Select(s => new PolicySuiteResult(s, [.. s.Tests.Where(t => filter?.Invoke(t) ?? true).Select(t => Run(t, s.Now ?? time.GetUtcNow(), time, coverage))]))
            .ToImmutableArray();
        return new PolicyTestReport(results, coverage.Build(), time.GetElapsedTime(start));
    }

    /// <summary>A first file of tests, YAML: for each rule a request that should match it and one that should not, with what the policies say to them now.</summary>
    public string Scaffold(DateTimeOffset now) => new PolicyTestScaffold(_judge, _requests.Describe, _host).Write(_policies, _authentications, now);

    private PolicyTestResult Run(PolicyTest test, DateTimeOffset now, TimeProvider time, CoverageCollector coverage)
    {
        if (test.Skip is not null)
        {
            return new PolicyTestResult(test, PolicyTestOutcome.Skipped, [], null, TimeSpan.Zero);
        }

        var start = time.GetTimestamp();
        var judgement = _judge.Judge(_requests.Describe(test, now), test, now);
        ImmutableArray<string> differences = [.. _check.Differences(test.Expect, judgement)];
        coverage.Observe(judgement.Explained.Decision);
        return new PolicyTestResult(test, differences.IsEmpty ? PolicyTestOutcome.Passed : PolicyTestOutcome.Failed, differences, judgement, time.GetElapsedTime(start));
    }

    /// <summary>The first host that the resources serve by name.</summary>
    private static string HostOf(ResourceSet resources) =>
        resources.OfType<VirtualService>().SelectMany(v => v.Hosts).FirstOrDefault(h => !h.Contains('*', StringComparison.Ordinal) && h.Contains('.', StringComparison.Ordinal))
        ?? "app.example.com";

    private static ResourceSet WithoutCustom(ResourceSet resources) =>
        new(resources.All.Where(r => r is not AuthorizationPolicy { Action: PolicyAction.Custom }), resources.Problems, resources.Revision) { Mesh = resources.Mesh };
}
