using System.Runtime.InteropServices;
using System.Threading.Channels;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Running;

public sealed class LogRotationTests
{
    private const PosixSignal Sigusr1 = (PosixSignal)10;

    [Fact]
    public async Task Sigusr1_AfterTheLogWasMoved_OpensItAnewAtOnceAndLosesNoLine()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the signal's number is another one elsewhere");
        await using var gateway = await RunningGateway.StartAsync("accessLogFile: ${access-log}\naccessLogFormat: \"%REQ(:PATH)%\\n\"\n");
        await RawHttp.GetAsync(gateway.Port, "/get?before");
        await UntilAsync(gateway.AccessLogFile, () => File.Exists(gateway.AccessLogFile) && File.ReadAllText(gateway.AccessLogFile) == "/get?before\n");
        File.Move(gateway.AccessLogFile, gateway.AccessLogFile + ".1");

        gateway.Process.Signal(Sigusr1);

        await UntilAsync(gateway.AccessLogFile, () => File.Exists(gateway.AccessLogFile));
        await RawHttp.GetAsync(gateway.Port, "/get?after");
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Equal("/get?before\n", await File.ReadAllTextAsync(gateway.AccessLogFile + ".1", TestContext.Current.CancellationToken));
        Assert.Equal("/get?after\n", await File.ReadAllTextAsync(gateway.AccessLogFile, TestContext.Current.CancellationToken));
    }

    /// <summary>Looks whenever something happens in the log's folder.</summary>
    private static async Task UntilAsync(string file, Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        var happened = Channel.CreateUnbounded<string?>();
        using var folder = new FileSystemWatcher(Path.GetDirectoryName(file)!);
        folder.Created += (_, e) => happened.Writer.TryWrite(e.Name);
        folder.Changed += (_, e) => happened.Writer.TryWrite(e.Name);
        folder.EnableRaisingEvents = true;
        while (!condition())
        {
            await happened.Reader.ReadAsync(patience.Token);
        }
    }
}
