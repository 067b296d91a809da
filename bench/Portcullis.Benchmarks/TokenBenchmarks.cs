using BenchmarkDotNet.Attributes;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.Benchmarks;

/// <summary>What a token costs that was not seen before: reading it, and one signature of each kind.</summary>
[MemoryDiagnoser]
public class TokenBenchmarks
{
    private readonly TokenIssuer _rs256 = new("https://issuer.example", JwsAlgorithm.RS256, "rs");
    private readonly TokenIssuer _es256 = new("https://issuer.example", JwsAlgorithm.ES256, "es");
    private readonly TokenIssuer _edDsa = new("https://issuer.example", JwsAlgorithm.EdDSA, "ed");
    private string _text = "";
    private JsonWebToken _rs = null!;
    private JsonWebToken _es = null!;
    private JsonWebToken _ed = null!;
    private JsonWebKeySet _keys = null!;

    [GlobalSetup]
    public void Setup()
    {
        _keys = JsonWebKeySet.Parse(TokenIssuer.JwksOf(_rs256, _es256, _edDsa));
        _text = Mint(_rs256);
        _rs = Read(_text);
        _es = Read(Mint(_es256));
        _ed = Read(Mint(_edDsa));
    }

    [Benchmark]
    public JwtStatus Parse() => JsonWebToken.TryParse(_text, out _);

    [Benchmark]
    public JwtStatus VerifyRS256() => _rs.VerifySignature(_keys);

    [Benchmark]
    public JwtStatus VerifyES256() => _es.VerifySignature(_keys);

    [Benchmark]
    public JwtStatus VerifyEdDSA() => _ed.VerifySignature(_keys);

    private static string Mint(TokenIssuer issuer) =>
        issuer.Mint("user@example.com", DateTimeOffset.UnixEpoch.AddYears(100), ("aud", "https://api.example"), ("scope", "read write"), ("name", "A. User"));

    private static JsonWebToken Read(string token) =>
        JsonWebToken.TryParse(token, out var jwt) == JwtStatus.Ok ? jwt! : throw new InvalidOperationException("the benchmark's own token cannot be read");
}
