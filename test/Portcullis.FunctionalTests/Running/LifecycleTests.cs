using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Running;

public sealed class LifecycleTests
{
    [Fact]
    public async Task Start_OnAConfigurationWithErrors_ListsThemAllAndBindsNothing()
    {
        using var folder = new TemporaryFolder();
        folder.Write("config/a.yaml", "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec: {jwtRule: []}\n");
        folder.Write("config/b.yaml", "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: b}\nspec: {rules: [{from: [{source: {ipBlocks: [1.2.3.4.5]}}]}]}\n");

        var (code, _, error) = await PortcullisProcess.RunAsync("run", "-f", folder.File("config"), "--port", "80=0", "--status-port", "0", "--stats-port", "0", "--admin", "off");

        Assert.Equal(1, code);
        Assert.Contains("a.yaml:4:", error, StringComparison.Ordinal);
        Assert.Contains("`jwtRules`", error, StringComparison.Ordinal);
        Assert.Contains("b.yaml:4:", error, StringComparison.Ordinal);
        Assert.Contains("1.2.3.4.5", error, StringComparison.Ordinal);
        Assert.DoesNotContain("listening", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OnAFolderThatIsNotThere_EndsWithTwoAndNamesIt()
    {
        var (code, _, error) = await PortcullisProcess.RunAsync("run", "-f", "/no/such/folder", "--admin", "off");

        Assert.Equal(2, code);
        Assert.Contains("/no/such/folder", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OnATakenPort_EndsWithTheReasonAndTheRemedy()
    {
        using var taken = new TcpListener(IPAddress.IPv6Any, 0);
        taken.Server.DualMode = true;
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var folder = new TemporaryFolder();
        foreach (var (file, yaml) in Samples.Guide(9))
        {
            folder.Write("config/" + file, yaml);
        }

        var (code, _, error) = await PortcullisProcess.RunAsync("run", "-f", folder.File("config"), "--port", $"80={port}", "--status-port", "0", "--stats-port", "0", "--admin", "off");

        Assert.Equal(2, code);
        Assert.Contains($"cannot listen on *:{port}", error, StringComparison.Ordinal);
        Assert.Contains("--port", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OnATakenStatusPortThatWasAskedFor_Fails()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("config"));

        var (code, _, error) = await PortcullisProcess.RunAsync("run", "-f", folder.File("config"), "--status-port", $"{port}", "--stats-port", "0", "--admin", "off");

        Assert.Equal(2, code);
        Assert.Contains($"{port}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sigterm_WithARequestInFlight_LetsItFinishAndEndsWithZero()
    {
        using var backend = new HoldingBackend();
        await using var gateway = await RunningGateway.StartAsync("{}", ("endpoints.yaml", Samples.Endpoints(backend.Port)));
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.StatusPort, "/healthz/ready")).Status);
        var slow = RawHttp.GetAsync(gateway.Port, "/get");
        await backend.Received;

        gateway.Process.Signal(PosixSignal.SIGTERM);
        await gateway.Process.WaitForLineAsync("stopping");
        Assert.Equal(503, (await RawHttp.GetAsync(gateway.StatusPort, "/healthz/ready")).Status);
        backend.Answer();

        Assert.Equal(200, (await slow).Status);
        Assert.Equal(0, await gateway.Process.WaitForExitAsync());
    }

    [Fact]
    public async Task StatusPort_OfOtherPaths_Is404()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");

        var ready = await RawHttp.GetAsync(gateway.StatusPort, "/healthz/ready");
        Assert.Equal((200, ""), (ready.Status, ready.Body));
        Assert.Equal(404, (await RawHttp.GetAsync(gateway.StatusPort, "/")).Status);
        Assert.Equal(404, (await RawHttp.GetAsync(gateway.StatusPort, "/healthz")).Status);
    }
}
