using System.Net;
using BenchmarkDotNet.Attributes;
using Portcullis.Jose;
using Portcullis.Matching;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Benchmarks;

/// <summary>The JWT stage of a request: without a token, with one seen before, and with one that has to be verified.</summary>
[MemoryDiagnoser]
public class AuthenticationBenchmarks
{
    private readonly TokenIssuer _issuer = new("https://issuer.example/7", JwsAlgorithm.RS256, "k");
    private JwtAuthenticator _cached = null!;
    private JwtAuthenticator _uncached = null!;
    private BearerRequest _request;
    private BearerRequest _anonymous;
    private DateTimeOffset _now;

    /// <summary>Rules attached, each of another issuer: one should cost as much as five hundred.</summary>
    [Params(1, 500)]
    public int Issuers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _now = TimeProvider.System.GetUtcNow();
        _request = new(_issuer.Mint("user@example.com", _now.AddHours(1)));
        _anonymous = new(null);
        _cached = Compile(new VerifiedTokenCache());
        _uncached = Compile(null);
        if (!Cached().IsAccepted || !Uncached().IsAccepted)
        {
            throw new InvalidOperationException("the benchmark's own token is refused");
        }
    }

    [Benchmark(Baseline = true)]
    public AuthenticationResult WithoutToken() => _cached.Authenticate(in _anonymous, _now);

    [Benchmark]
    public AuthenticationResult Cached() => _cached.Authenticate(in _request, _now);

    [Benchmark]
    public AuthenticationResult Uncached() => _uncached.Authenticate(in _request, _now);

    private JwtAuthenticator Compile(VerifiedTokenCache? cache)
    {
        var policy = new RequestAuthentication
        {
            ApiVersion = "security.istio.io/v1",
            Kind = "RequestAuthentication",
            Metadata = new() { Name = "jwt", Namespace = "istio-system" },
            Origin = BenchmarkOrigin.Instance,
            JwtRules = [.. Enumerable.Range(7, Issuers).Select(i => new JwtRule { Issuer = $"https://issuer.example/{i}", Jwks = _issuer.JwksJson })],
        };
        return JwtAuthenticator.Compile([policy], NoFetching.Instance, new() { Cache = cache }, [])!;
    }

    private sealed class NoFetching : IJwksResolver
    {
        public static readonly NoFetching Instance = new();

        public JwksSource Resolve(JwksLocation location) => FixedJwksSource.None;
    }

    private readonly struct BearerRequest(string? token) : IRequestAttributes
    {
        private readonly string? _authorization = token is null ? null : $"Bearer {token}";

        public string Method => "GET";

        public string Scheme => "https";

        public string Authority => "api.example";

        public string Path => "/";

        public string? Query => null;

        public IPAddress? PeerAddress => null;

        public IPAddress? RemoteAddress => null;

        public IPAddress? LocalAddress => null;

        public int LocalPort => 443;

        public PeerCertificate? PeerCertificate => null;

        public string? ServerName => null;

        public ClaimSet? Claims => null;

        public HeaderValues GetHeader(string name) => new(name.Equals("authorization", StringComparison.OrdinalIgnoreCase) ? _authorization : null);
    }
}
