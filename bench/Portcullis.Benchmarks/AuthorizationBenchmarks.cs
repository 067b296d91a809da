using System.Net;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Benchmarks;

/// <summary>
/// One decision of the AUDIT, DENY and ALLOW policies. Requests take turns over the policies, so that none is always the first, and caches are as warm as
/// they would be in service.
/// </summary>
[MemoryDiagnoser]
public class AuthorizationBenchmarks
{
    private const int Requests = 256;
    private readonly PolicyRequest[] _passing = new PolicyRequest[Requests];
    private readonly PolicyRequest[] _denied = new PolicyRequest[Requests];
    private Authorizer _authorizer = null!;
    private int _next;

    /// <summary>Policies attached; two of three are ALLOW, one is DENY.</summary>
    [Params(1, 10, 100, 1_000, 10_000)]
    public int Policies { get; set; }

    /// <summary>What distinguishes the policies.</summary>
    [Params("hosts", "paths", "principals", "services")]
    public string Distinct { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _authorizer = Authorizer.Compile(
            Enumerable.Range(0, Policies).Select(i => Policy(i, Rule(i))), MeshConfig.Default, new WorkloadIdentity(), ["https://issuer.example"], []);
        for (var i = 0; i < Requests; i++)
        {
            var policy = (int)((long)i * Policies / Requests);
            policy -= policy % 3 == 2 ? 1 : 0; // an ALLOW policy
            _passing[i] = Request(policy);
            _denied[i] = Request(policy) with { Path = "/nowhere", Authority = "nowhere.example", Claims = null };
            if (!_authorizer.Evaluate(in _passing[i]).IsAllowed || _authorizer.Evaluate(in _denied[i]).IsAllowed)
            {
                throw new InvalidOperationException($"request {i} is not decided as meant");
            }
        }
    }

    [Benchmark]
    public Decision Passes() => _authorizer.Evaluate(in _passing[_next++ & (Requests - 1)]);

    [Benchmark]
    public Decision Denied() => _authorizer.Evaluate(in _denied[_next++ & (Requests - 1)]);

    private AuthorizationRule Rule(int i) => Distinct switch
    {
        "hosts" => new() { To = [new() { Hosts = [$"host-{i}.example.com", $"host-{i}.example.com:*"], Methods = ["GET", "POST"] }] },
        "paths" => new() { To = [new() { Paths = [$"/api/service-{i}/*"], Methods = ["GET", "POST"] }] },
        "principals" => new() { From = [new() { RequestPrincipals = [$"https://issuer.example/user-{i}"] }], To = [new() { Methods = ["GET", "POST"] }] },
        _ => new()
        {
            From = [new() { RequestPrincipals = [$"https://issuer.example/user-{i}"] }, new() { RequestPrincipals = ["https://issuer.example/admin"] }],
            To = [new() { Hosts = [$"tenant-{i / 10}.example.com"], Paths = [$"/v{i % 10}/*"], Methods = ["GET", "POST"] }],
            When = [new() { Key = "request.auth.claims[groups]", Values = ["users"] }],
        },
    };

    private PolicyRequest Request(int i)
    {
        using var claims = JsonDocument.Parse($$"""{ "iss": "https://issuer.example", "sub": "user-{{i}}", "groups": ["staff", "users"] }""");
        return new PolicyRequest
        {
            Authority = Distinct == "services" ? $"tenant-{i / 10}.example.com" : $"host-{i}.example.com",
            Path = Distinct == "services" ? $"/v{i % 10}/orders/17" : $"/api/service-{i}/orders/17",
            Claims = new ClaimSet(claims.RootElement.Clone()),
        };
    }

    private static AuthorizationPolicy Policy(int i, AuthorizationRule rule) => new()
    {
        ApiVersion = "security.istio.io/v1",
        Kind = "AuthorizationPolicy",
        Metadata = new() { Name = $"policy-{i}", Namespace = "istio-system" },
        Origin = BenchmarkOrigin.Instance,
        Action = i % 3 == 2 ? PolicyAction.Deny : PolicyAction.Allow,
        Rules = [rule],
    };

    private readonly record struct PolicyRequest() : IRequestAttributes
    {
        public string Method => "GET";

        public string Scheme => "https";

        public string Authority { get; init; } = "";

        public string Path { get; init; } = "/";

        public string? Query => null;

        public IPAddress? PeerAddress => null;

        public IPAddress? RemoteAddress => null;

        public IPAddress? LocalAddress => null;

        public int LocalPort => 443;

        public PeerCertificate? PeerCertificate => null;

        public string? ServerName => null;

        public ClaimSet? Claims { get; init; }

        public HeaderValues GetHeader(string name) => default;
    }
}
