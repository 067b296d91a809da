using BenchmarkDotNet.Attributes;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.Benchmarks;

/// <summary>Reading what a key server sends: once a refresh and location, off the request path.</summary>
[MemoryDiagnoser]
public class KeySetBenchmarks
{
    private string _json = "";

    /// <summary>Large providers publish three or four.</summary>
    [Params(1, 4, 16)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Setup() => _json = TokenIssuer.JwksOf(Enumerable.Range(0, Keys).Select(i => new TokenIssuer("i", JwsAlgorithm.RS256, $"k{i}")));

    [Benchmark]
    public JsonWebKeySet Parse() => JsonWebKeySet.Parse(_json);
}
