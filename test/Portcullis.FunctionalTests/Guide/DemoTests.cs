using System.Runtime.InteropServices;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Guide;

public sealed class DemoTests
{
    [Fact]
    public async Task Demo_FromAnEmptyFolder_AnswersEveryLineThatItPrints()
    {
        using var folder = new TemporaryFolder();
        await using var demo = PortcullisProcess.Start("demo", "--gateway-port", "0", "--httpbin-port", "0", "--directory", folder.File("demo"));
        var port = await demo.WaitForPortAsync("listening on *:0");
        await demo.WaitForLineAsync("Ctrl+C stops");
        var tokens = ReadTokens(folder.File("demo/tokens.env"));

        await AssertAnswersAsync(port, tokens, ("TOKEN", 200), ("TOKEN_SUB", 200), ("TOKEN_EXPIRED", 401), ("TOKEN_ISSUER", 401), ("TOKEN_KEY", 401), ("TOKEN_EARLY", 401));
        Assert.Equal(200, (await RawHttp.HeadAsync(port, "/")).Status);

        await ApplyAsync(demo, folder, "1-require-jwt.yaml");
        await AssertAnswersAsync(port, tokens, ("TOKEN", 200), ("TOKEN_SUB", 200));
        Assert.Equal(401, (await RawHttp.HeadAsync(port, "/")).Status);
        Assert.Equal(200, (await RawHttp.HeadAsync(port, "/healthz")).Status);

        await ApplyAsync(demo, folder, "2-issuer-and-subject.yaml");
        await AssertAnswersAsync(port, tokens, ("TOKEN", 401), ("TOKEN_SUB", 200));

        demo.Signal(PosixSignal.SIGINT);
        Assert.Equal(0, await demo.WaitForExitAsync());
    }

    [Fact]
    public async Task Demo_InAFolderThatItMadeBefore_KeepsTheKeyAndTheEdits()
    {
        using var folder = new TemporaryFolder();
        await RunOnceAsync(folder);
        var key = await File.ReadAllTextAsync(folder.File("demo/keys/rsa-private-key.pem"), TestContext.Current.CancellationToken);
        folder.Write("demo/config/authorization-policy.yaml", Samples.GuideStep("1-require-jwt.yaml"));

        var port = await RunOnceAsync(folder, async p => Assert.Equal(401, (await RawHttp.HeadAsync(p, "/")).Status));

        Assert.True(port > 0);
        Assert.Equal(key, await File.ReadAllTextAsync(folder.File("demo/keys/rsa-private-key.pem"), TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("demo/keys/rsa-private-key.pem")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("demo/tokens.env")));
    }

    private static async Task<int> RunOnceAsync(TemporaryFolder folder, Func<int, Task>? use = null)
    {
        await using var demo = PortcullisProcess.Start("demo", "--gateway-port", "0", "--httpbin-port", "0", "--directory", folder.File("demo"));
        var port = await demo.WaitForPortAsync("listening on *:0");
        await demo.WaitForLineAsync("Ctrl+C stops");
        await (use?.Invoke(port) ?? Task.CompletedTask);
        demo.Signal(PosixSignal.SIGTERM);
        Assert.Equal(0, await demo.WaitForExitAsync());
        return port;
    }

    private static async Task ApplyAsync(PortcullisProcess demo, TemporaryFolder folder, string step)
    {
        var live = demo.CountLines("configuration is live");
        folder.Write("demo/config/authorization-policy.yaml", await File.ReadAllTextAsync(folder.File("demo/steps/" + step)));
        await demo.WaitForLineAsync(l => l.Contains("configuration is live", StringComparison.Ordinal) && demo.CountLines("configuration is live") > live, "the reload");
    }

    private static async Task AssertAnswersAsync(int port, Dictionary<string, string> tokens, params (string Token, int Status)[] expected)
    {
        foreach (var (token, status) in expected)
        {
            Assert.Equal((token, status), (token, (await RawHttp.HeadAsync(port, "/", "Authorization: Bearer " + tokens[token])).Status));
        }
    }

    private static Dictionary<string, string> ReadTokens(string file) => File.ReadAllLines(file)
        .Where(l => !l.StartsWith('#') && l.Contains('=', StringComparison.Ordinal))
        .Select(l => l.Split('=', 2))
        .ToDictionary(p => p[0], p => p[1]);
}
