using System.Diagnostics;
using System.Globalization;
using Portcullis.Fuzz;

namespace Portcullis.Gateway.Tests.Forwarding.Http1;

public sealed class ResponseFuzzTests
{
    /// <summary>Ten seconds; <c>PORTCULLIS_FUZZ_SECONDS</c> sets another time, <c>PORTCULLIS_FUZZ_SEED</c> repeats a run.</summary>
    [Fact]
    public void Run_OfSpoiltResponses_BreaksNoPromise()
    {
        var seconds = Number("PORTCULLIS_FUZZ_SECONDS") ?? 10;
        var seed = Number("PORTCULLIS_FUZZ_SEED") ?? Random.Shared.Next();
        var loop = new FuzzLoop(seed);
        FuzzTarget[] targets = [new ResponseTarget()];
        foreach (var input in targets[0].Seeds)
        {
            loop.Execute(targets[0], input);
        }

        var started = Stopwatch.GetTimestamp();
        loop.Run(targets, () => Stopwatch.GetElapsedTime(started).TotalSeconds < seconds);

        Assert.Empty(loop.Findings.Select(f => $"seed {seed}: {f}"));
        Assert.True(loop.Executed > 1000, $"only {loop.Executed} inputs in {seconds} s");
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
