using System.Net;
using System.Text.Json;
using Portcullis.Gateway;
using Portcullis.Gateway.Jwks;
using Portcullis.Gateway.Limits;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.FunctionalTests.Support;

/// <summary>What a test changes of a gateway in its process.</summary>
internal sealed record InProcessOptions
{
    public string Mesh { get; init; } = "{}";

    public JwksFetchOptions KeyFetching { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public UpstreamClient Upstream { get; init; } = UpstreamClient.Lean;

    public WorkloadIdentity Workload { get; init; } = new();

    /// <summary>Decisions of each kind that are kept; with any, the admin port is open.</summary>
    public int DecisionCapacity { get; init; }

    /// <summary>What the environment would say of several external authorizers.</summary>
    public bool AllowsSeveralAuthorizers { get; init; }

    /// <summary>The environment that tracing sees; empty, whatever the test runs in.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    public GatewayLimits Limits { get; init; } = new();

    /// <summary>The guide's resources come before the test's own.</summary>
    public bool HasGuide { get; init; } = true;

    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Opens the statistics' port too.</summary>
    public bool HasStats { get; init; }
}

/// <summary>
/// The real gateway on real sockets and real files, in the test's own process: a start costs milliseconds. A Gateway for every host on port 80, routed to one backend.
/// </summary>
internal sealed class InProcessGateway : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly GatewayServer _server;
    private bool _stopped;

    private InProcessGateway(TemporaryFolder folder, GatewayServer server, CollectedLog log)
    {
        (_folder, _server, Log) = (folder, server, log);
        Port = server.Ports.Values.Single();
    }

    public int Port { get; }

    /// <summary>The admin API; only with decisions.</summary>
    public int AdminPort => _server.AdminPort!.Value;

    public CollectedLog Log { get; }

    public string? AccessLogFile { get; private init; }

    /// <summary>Starts it.</summary>
    /// <param name="backendPort">Where the requests go.</param>
    /// <param name="options">What differs from the defaults. <c>${access-log}</c> in the mesh configuration is <see cref="AccessLogFile"/>.</param>
    /// <param name="resources">Files beside the guide's (Gateway, VirtualService, Service, EndpointSlice), or in their place.</param>
    public static async Task<InProcessGateway> StartAsync(int backendPort, InProcessOptions options, params IEnumerable<(string File, string Text)> resources)
    {
        var folder = new TemporaryFolder();
        try
        {
            foreach (var (file, text) in (options.HasGuide ? Samples.Guide(backendPort) : []).Concat(resources))
            {
                folder.Write(Path.Combine("config", file), text);
            }

            var accessLog = folder.File("access.log");
            var log = new CollectedLog();
            Assert.True(PortMap.TryParse(["80=0"], out var ports, out _));
            var server = await GatewayServer.StartAsync(
                new GatewayOptions
                {
                    Paths = [folder.File("config")],
                    MeshConfigFile = folder.Write("mesh.yaml", options.Mesh.Replace("${access-log}", accessLog, StringComparison.Ordinal)),
                    Workload = options.Workload,
                    Ports = ports,
                    Status = new(new IPEndPoint(IPAddress.Loopback, 0), IsDefault: false),
                    Stats = options.HasStats ? new(new IPEndPoint(IPAddress.Loopback, 0), IsDefault: false) : null,
                    Admin = options.DecisionCapacity > 0 ? new(new IPEndPoint(IPAddress.Loopback, 0), IsDefault: false) : null,
                    DecisionCapacity = options.DecisionCapacity,
                    KeyFetching = options.KeyFetching,
                    TracingEnvironment = options.Variables.GetValueOrDefault,
                    Upstream = options.Upstream,
                    AllowsSeveralAuthorizers = options.AllowsSeveralAuthorizers,
                    Limits = options.Limits,
                    DrainTime = options.DrainTime,
                },
                log,
                options.Time,
                TestContext.Current.CancellationToken);
            return new InProcessGateway(folder, server, log) { AccessLogFile = accessLog };
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Writes a file, and waits until the gateway serves it.</summary>
    public async Task ApplyAsync(string file, string text)
    {
        const string Live = "configuration is live";
        var count = Log.Count(Live);
        _folder.Write(Path.Combine("config", file), text);
        await Log.WaitForAsync(Live, count + 1);
    }

    /// <summary>Writes several files, the mesh configuration (<c>mesh.yaml</c>) among them, that are refused together, and waits until the gateway says so.</summary>
    public async Task ApplyRefusedAsync(params IEnumerable<(string File, string Text)> files)
    {
        const string Refused = "configuration is refused";
        var count = Log.Count(Refused);
        foreach (var (file, text) in files)
        {
            _folder.Write(file == "mesh.yaml" ? file : Path.Combine("config", file), text);
        }

        await Log.WaitForAsync(Refused, count + 1);
    }

    /// <summary>What <c>/readyz</c> says.</summary>
    public async Task<JsonElement> ReadinessAsync()
    {
        var response = await RawHttp.GetAsync(_server.StatusPort!.Value, "/readyz");
        Assert.Equal(200, response.Status);
        return JsonElement.Parse(response.Body);
    }

    /// <summary>What <c>/stats/prometheus</c> says.</summary>
    public async Task<string> StatisticsAsync() => (await ScrapeAsync()).Body;

    /// <summary>Scrapes with header lines of the test's choice.</summary>
    public Task<RawResponse> ScrapeAsync(params string[] headerLines) => RawHttp.GetAsync(_server.StatsPort!.Value, "/stats/prometheus", headerLines);

    /// <summary>Ends the gateway, which writes out its access log, and reads that.</summary>
    public async Task<string[]> StopAndReadAccessLogAsync()
    {
        await StopAsync();
        return await File.ReadAllLinesAsync(AccessLogFile!);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private async ValueTask StopAsync()
    {
        if (!_stopped)
        {
            _stopped = true;
            await _server.DisposeAsync();
        }
    }
}
