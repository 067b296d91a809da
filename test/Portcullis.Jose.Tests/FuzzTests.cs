using System.Diagnostics;
using Portcullis.Fuzz;

namespace Portcullis.Jose.Tests;

/// <summary>
/// The inputs that earlier runs kept, and new ones for a bounded time. Long runs: <c>dotnet run -c Release --project test/Portcullis.Fuzz -- 3600 7200 SEED</c>.
/// </summary>
public sealed class FuzzTests
{
    private static readonly string CorpusFolder = Path.Combine(AppContext.BaseDirectory, "Corpus");

    [Fact]
    public void Run_OfTheKeptCorpus_BreaksNoPromise()
    {
        var loop = new FuzzLoop(seed: 0);
        foreach (var target in FuzzTarget.All())
        {
            var kept = Corpus.Read(CorpusFolder, target.Name);
            Assert.NotEmpty(kept);
            foreach (var input in kept.Concat(target.Seeds))
            {
                loop.Execute(target, input);
            }
        }

        Assert.Empty(loop.Findings.Select(f => f.ToString()));
    }

    /// <summary>A minute; <c>PORTCULLIS_FUZZ_SECONDS</c> sets another time, <c>PORTCULLIS_FUZZ_SEED</c> repeats a run.</summary>
    [Fact]
    public void Run_OfSpoiltInputs_BreaksNoPromise()
    {
        var seconds = Number("PORTCULLIS_FUZZ_SECONDS") ?? 60;
        var seed = Number("PORTCULLIS_FUZZ_SEED") ?? Random.Shared.Next();
        var loop = new FuzzLoop(seed);
        var targets = FuzzTarget.All();
        foreach (var target in targets)
        {
            foreach (var input in Corpus.Read(CorpusFolder, target.Name))
            {
                loop.Execute(target, input);
            }
        }

        var started = Stopwatch.GetTimestamp();
        loop.Run(targets, () => Stopwatch.GetElapsedTime(started).TotalSeconds < seconds);

        Assert.Empty(loop.Findings.Select(f => $"seed {seed}: {f}"));
        Assert.True(loop.Executed > 1000, $"only {loop.Executed} inputs in {seconds} s");
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;
}
