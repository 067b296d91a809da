using Portcullis.Resources;

namespace Portcullis.Benchmarks;

/// <summary>Resources of a benchmark come from no file.</summary>
internal sealed class BenchmarkOrigin : ResourceOrigin
{
    public static readonly BenchmarkOrigin Instance = new();

    public override string Source => "benchmark";

    public override int Order => 0;

    public override SourcePosition? Locate(string fieldPath) => null;
}
