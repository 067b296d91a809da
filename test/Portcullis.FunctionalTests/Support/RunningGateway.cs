using System.Net;
using System.Runtime.InteropServices;
using Portcullis.HttpBin;

namespace Portcullis.FunctionalTests.Support;

/// <summary>The real executable on a temporary folder of configuration, with httpbin behind it; every port is the system's choice.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpBinServer _backend;
    private PortcullisProcess? _process;

    private RunningGateway(HttpBinServer backend) => _backend = backend;

    public PortcullisProcess Process => _process ?? throw new InvalidOperationException("not started");

    /// <summary>The gateway's HTTP port.</summary>
    public int Port { get; private set; }

    public int StatusPort { get; private set; }

    public int StatsPort { get; private set; }

    public int AdminPort { get; private set; }

    public int BackendPort => _backend.EndPoint.Port;

    /// <summary>What <c>${access-log}</c> in the mesh configuration is.</summary>
    public string AccessLogFile => _folder.File("access.log");

    /// <summary>A gateway for every host on port 80 that routes everything to httpbin.</summary>
    public static async Task<RunningGateway> StartAsync(string meshConfig, params (string File, string Yaml)[] resources)
    {
        var backend = await HttpBinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var gateway = new RunningGateway(backend);
        try
        {
            foreach (var (file, yaml) in Samples.Guide(backend.EndPoint.Port))
            {
                gateway.Write(file, yaml);
            }

            foreach (var (file, yaml) in resources)
            {
                gateway.Write(file, yaml);
            }

            await gateway.StartProcessAsync(meshConfig.Replace("${access-log}", gateway.AccessLogFile, StringComparison.Ordinal));
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a resource file into the watched folder.</summary>
    public void Write(string file, string yaml) => _folder.Write(Path.Combine("config", file), yaml);

    public void Delete(string file) => File.Delete(_folder.File(Path.Combine("config", file)));

    /// <summary>Makes a change and waits until the gateway says that it serves it.</summary>
    public async Task ApplyAsync(Action change)
    {
        var generation = Process.CountLines("configuration is live");
        change();
        await Process.WaitForLineAsync(l => l.Contains("configuration is live", StringComparison.Ordinal) && Process.CountLines("configuration is live") > generation, "a new live configuration");
    }

    /// <summary>Makes a change that the gateway refuses, and waits until it says so.</summary>
    public async Task<string> ApplyBadAsync(Action change)
    {
        var refusals = Process.CountLines("configuration is refused");
        change();
        return await Process.WaitForLineAsync(
            l => l.Contains("configuration is refused", StringComparison.Ordinal) && Process.CountLines("configuration is refused") > refusals, "a refused configuration");
    }

    public async Task<int> StopAsync()
    {
        Process.Signal(PosixSignal.SIGTERM);
        return await Process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await _backend.DisposeAsync();
        _folder.Dispose();
    }

    private async Task StartProcessAsync(string meshConfig)
    {
        var mesh = _folder.Write("mesh-config.yaml", meshConfig);
        _process = PortcullisProcess.Start(
            "run", "-f", _folder.File("config"), "--mesh-config", mesh, "--port", "80=0", "--status-port", "0", "--stats-port", "0", "--admin", "127.0.0.1:0", "--drain-seconds", "10");
        Port = await _process.WaitForPortAsync("listening on *:0");
        StatusPort = await _process.WaitForPortAsync("status on");
        StatsPort = await _process.WaitForPortAsync("statistics on");
        AdminPort = await _process.WaitForPortAsync("admin on");
        await _process.WaitForLineAsync("ready:");
    }
}
