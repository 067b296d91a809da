using System.Diagnostics;
using System.Net;
using BenchmarkDotNet.Attributes;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Pipeline;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;
using Portcullis.Routing;
using Portcullis.TestSupport;

namespace Portcullis.Benchmarks;

/// <summary>What keeping a decision adds to a request that is complete.</summary>
[MemoryDiagnoser]
public class DecisionBenchmarks
{
    private readonly DecisionRecorder _recorder = new(new DecisionJournal(1000));
    private readonly GatewayContext _allowed = new();
    private readonly GatewayContext _denied = new();
    private readonly GatewayContext _refused = new();
    private long _second = 1;

    [GlobalSetup]
    public void Setup()
    {
        var issuer = new TokenIssuer();
        var read = ResourceReader.Read("bench.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: testing@asm.test.io, jwks: '{{issuer.JwksJson}}'}]}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: groups, namespace: istio-system}
            spec: {rules: [{when: [{key: "request.auth.claims[groups]", values: [admin]}, {key: "request.headers[x-tenant]", values: [a]}]}]}
            """);
        var resources = new ResourceSet(read.Resources, [], "");
        var environment = new SnapshotEnvironment(new WorkloadIdentity(), PortMap.Default, new InlineKeysOnly(), null, UpstreamDirectory.Empty);
        var snapshot = GatewaySnapshot.Compile(resources, environment, [], generation: 1);
        var now = TimeProvider.System.GetUtcNow();
        var token = issuer.Mint("ada@example.com", now.AddHours(1), ("groups", "admin"));
        foreach (var context in new[] { _allowed, _denied, _refused })
        {
            context.Snapshot = snapshot;
            context.Path = "/api/orders/17";
            context.RawTarget = "/api/orders/17?page=2";
            context.Query = "page=2";
            context.Authority = "shop.example";
            context.PeerAddress = context.RemoteAddress = IPAddress.Loopback;
            context.StartTime = now;
            context.StartTimestamp = Stopwatch.GetTimestamp();
            context.ResponseDetails = "via_upstream";
            var headers = context.Http.Request.Headers;
            headers.Authorization = $"Bearer {token}";
            headers.UserAgent = "Mozilla/5.0 (X11; Linux x86_64)";
            headers["x-tenant"] = "a";
            headers.Accept = "*/*";
            context.Http.Request.Method = "GET";
        }

        var view = new RequestView(_allowed);
        var identity = snapshot.Authenticator!.Authenticate(in view, now);
        _allowed.Identity = _denied.Identity = identity.Identity ?? throw new InvalidOperationException("the benchmark's own token is refused");
        _allowed.Decision = new Decision(DecisionOutcome.Allowed, "ns[istio-system]-policy[groups]-rule[0]");
        _denied.Decision = new Decision(DecisionOutcome.Forbidden, null);
        _refused.TokenStatus = JwtStatus.Expired;
        _refused.TokenRule = identity.Rule;
    }

    /// <summary>The way of nearly every request under load.</summary>
    [Benchmark(Baseline = true)]
    public void AllowedNotKept() => _recorder.Record(_allowed);

    /// <summary>At most a hundred times a second.</summary>
    [Benchmark]
    public void AllowedKept()
    {
        _allowed.StartTimestamp = ++_second * Stopwatch.Frequency;
        _recorder.Record(_allowed);
    }

    [Benchmark]
    public void DeniedByPolicy() => _recorder.Record(_denied);

    [Benchmark]
    public void TokenRefused() => _recorder.Record(_refused);

    private sealed class InlineKeysOnly : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => FixedJwksSource.None;
    }
}
