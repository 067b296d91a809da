using Portcullis.Fuzz;

namespace Portcullis.Gateway.Tests.Listeners;

/// <summary>What a stranger's connection begins with. Long runs: <c>dotnet run -c Release --project test/Portcullis.Fuzz -- 3600 7200 SEED</c>.</summary>
public sealed class ConnectionFuzzTests
{
    [Fact]
    public void SpoiltBeginnings_BreakNoPromise()
    {
        var seed = Random.Shared.Next();
        var loop = new FuzzLoop(seed);
        FuzzTarget[] targets = [new ClientHelloTarget(), new ProxyHeaderTarget()];
        foreach (var target in targets)
        {
            foreach (var input in target.Seeds)
            {
                loop.Execute(target, input);
            }
        }

        loop.Run(targets, () => loop.Executed < 20_000);

        Assert.True(loop.Findings.Count == 0, string.Join('\n', loop.Findings.Select(f => $"seed {seed}: {f}")));
        Assert.Contains(loop.Kept, k => k.Target == "client-hello");
    }
}
