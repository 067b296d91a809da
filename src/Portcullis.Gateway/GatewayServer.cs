using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Admin;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Jwks;
using Portcullis.Gateway.Limits;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Gateway;

/// <summary>
/// A running gateway: the ports, the configuration that serves them, and the watch that replaces it. Started with
/// <c>StartAsync</c>, which returns once requests are answered.
/// </summary>
public sealed partial class GatewayServer : IAsyncDisposable
{
    private readonly ILogger _logger;
    private readonly ServiceProvider _services;
    private readonly ConfigurationUpdater _updater;
    private readonly ListenerGroup _listeners;
    private readonly ControlPorts _control;
    private readonly GatewayHealth _health;
    private readonly DecisionsApi _decisions;
    private readonly GatewayMetrics _metrics;
    private readonly List<IAsyncDisposable> _owned;
    private readonly CancellationTokenSource _stopWatching = new();
    private Task _watching = Task.CompletedTask;

    private GatewayServer(
        ILogger logger,
        ServiceProvider services,
        ConfigurationUpdater updater,
        ListenerGroup listeners,
        ControlPorts control,
        GatewayHealth health,
        DecisionsApi decisions,
        GatewayMetrics metrics,
        List<IAsyncDisposable> owned)
    {
        _logger = logger;
        _services = services;
        _updater = updater;
        _listeners = listeners;
        _control = control;
        _health = health;
        _decisions = decisions;
        _metrics = metrics;
        _owned = owned;
    }

    /// <summary>The gateway's own ports as really bound, by the address asked for (<c>*:8080</c>).</summary>
    public ImmutableDictionary<string, int> Ports => _listeners.Bound.ToImmutableDictionary(b => b.Key.ToString(), b => b.Value);

    /// <summary>Really bound status port; <see langword="null"/> when it is off.</summary>
    public int? StatusPort { get; private set; }

    /// <summary>Really bound port of the statistics; <see langword="null"/> when it is off.</summary>
    public int? StatsPort { get; private set; }

    /// <summary>Really bound admin port; <see langword="null"/> when it is off.</summary>
    public int? AdminPort { get; private set; }

    /// <summary>What was found in the configuration in force.</summary>
    public ImmutableArray<Problem> Problems => _updater.Current.Problems;

    /// <summary>Reads and compiles the configuration, then binds the ports.</summary>
    /// <exception cref="ConfigurationException">The configuration has an error; no port was bound.</exception>
    /// <exception cref="IOException">A port cannot be bound.</exception>
    public static async Task<GatewayServer> StartAsync(GatewayOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var services = new ServiceCollection().AddSingleton(loggers).AddLogging().AddHttpForwarder().BuildServiceProvider();
        var snapshots = new SnapshotHolder<GatewaySnapshot>(GatewaySnapshot.Empty);
        var keys = new RemoteJwksResolver(FetchOptions(options, loggers), loggers.CreateLogger<RemoteJwksResolver>(), time);
        var forwarder = ForwarderSelector.Create(options.Upstream, services, time);
        var names = new DnsAddresses(time, loggers.CreateLogger("Portcullis.Upstreams"));
        var upstreamMetrics = new UpstreamMetrics();
        var upstreams = new UpstreamDirectory(names, time, upstreamMetrics);
        var tokens = options.TokenCacheBytes > 0 ? new VerifiedTokenCache(options.TokenCacheBytes) : null;
        var metrics = new GatewayMetrics(snapshots, tokens, options.Workload);
        var authorizers = new ExternalAuthorizers(AllowsSeveralAuthorizers(options, loggers));
        var external = new ExternalAuthorizationStage(metrics, loggers.CreateLogger("Portcullis.ExternalAuthorization"), time);
        var lanes = new SignatureLanes(time);
        var routes = new RouteExecutor(new UpstreamServices(forwarder, new MirrorSender(forwarder.Yarp, time), time, upstreamMetrics), time);
        var pipeline = new RequestPipeline(new GrpcWebStage(routes, services), external, lanes, time);
        var journal = options.DecisionCapacity > 0 ? new DecisionJournal(options.DecisionCapacity) : null;
        var recorder = journal is null ? null : new DecisionRecorder(journal);
        var decisions = new DecisionsApi(journal, journal is null ? null : new LiveExplainer(journal, snapshots, options.Workload, options.Ports));
        var requestLog = loggers.CreateLogger("Portcullis.Requests");
        var connectionLog = loggers.CreateLogger("Portcullis.Connections");
        var guard = new OverloadGuard(options.Limits, loggers.CreateLogger("Portcullis.Overload"));
        var connections = new ConnectionMetrics();
        var tcp = new TcpProxy(connections, time, connectionLog);
        var listeners = new ListenerGroup(
            (key, load) => new GatewayApplication(key, snapshots, pipeline, metrics, recorder, guard, load, options.Limits, time, requestLog),
            key => new ConnectionGate(key, snapshots, tcp, connections, metrics.Connections(key), options.Limits, time, connectionLog),
            services,
            loggers,
            guard,
            options.Limits,
            options.SharesPorts,
            options.DrainTime);
        var updater = new ConfigurationUpdater(options, snapshots, keys, tokens, upstreams, authorizers, listeners, metrics, loggers, time);
        var health = new GatewayHealth(snapshots, keys, updater);
        var server = new GatewayServer(
            loggers.CreateLogger<GatewayServer>(),
            services,
            updater,
            listeners,
            new ControlPorts(services, loggers),
            health,
            decisions,
            metrics,
            [
                keys, updater, new AsyncDisposer(forwarder), new AsyncDisposer(authorizers), new AsyncDisposer(names), new AsyncDisposer(metrics),
                new AsyncDisposer(upstreamMetrics), new AsyncDisposer(connections), new CertificateFileWatch(snapshots, time, connectionLog),
                new AsyncDisposer(guard),
                new AsyncDisposer(lanes),
            ]);
        try
        {
            await server.StartAsync(options, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Turns readiness off, stops accepting, and lets requests in flight finish until the drain time is over or the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken abort)
    {
        _health.BeginDrain();
        await _stopWatching.CancelAsync();
        await _watching;
        await _listeners.StopAsync(abort);
    }

    /// <summary>Closes the access log's file and opens the one that has its name now.</summary>
    public void ReopenAccessLog() => _updater.ReopenAccessLog();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopWatching.CancelAsync();
        await _watching;
        await _listeners.DisposeAsync();
        await _control.DisposeAsync();
        foreach (var owned in _owned)
        {
            await owned.DisposeAsync();
        }

        _stopWatching.Dispose();
        await _services.DisposeAsync();
    }

    private async Task StartAsync(GatewayOptions options, CancellationToken cancellationToken)
    {
        // Made beside the reading of the configuration: it takes a while, and must be there before the first request is counted.
        var statistics = options.Stats is null ? null : Task.Run(() => new PrometheusEndpoint(_metrics), cancellationToken);
        try
        {
            await _updater.StartAsync(cancellationToken);
        }
        finally
        {
            if (statistics is not null)
            {
                _owned.Add(await statistics);
            }
        }

        StatusPort = await BindAsync("status", options.Status, _health.HandleStatusAsync, cancellationToken);
        if (statistics is not null)
        {
            var prometheus = await statistics;
            StatsPort = await BindAsync("statistics", options.Stats, prometheus.HandleAsync, cancellationToken);
        }

        AdminPort = await BindAsync("admin", options.Admin, new AdminApi(_health, _listeners, _decisions).HandleAsync, cancellationToken);
        _health.MarkListening();
        var warnings = Problems.Count(p => p.Severity == ProblemSeverity.Warning);
        LogReady(_logger, _updater.Current.Resources.All.Length, _listeners.Bound.Count, warnings);
        _watching = _updater.WatchAsync(_stopWatching.Token);
    }

    private async Task<int?> BindAsync(string purpose, ControlEndpoint? endpoint, RequestDelegate handle, CancellationToken cancellationToken)
    {
        var port = await _control.BindAsync(purpose, endpoint, handle, cancellationToken);
        if (port is { } bound)
        {
            LogControl(_logger, purpose, endpoint!.EndPoint, bound);
        }

        return port;
    }

    private static bool AllowsSeveralAuthorizers(GatewayOptions options, ILoggerFactory loggers)
    {
        if (options.AllowsSeveralAuthorizers is { } given)
        {
            return given;
        }

        var allows = CustomProviders.AllowsSeveral(Environment.GetEnvironmentVariable, out var problem);
        if (problem is not null)
        {
            LogEnvironment(loggers.CreateLogger<GatewayServer>(), problem);
        }

        return allows;
    }

    private static JwksFetchOptions FetchOptions(GatewayOptions options, ILoggerFactory loggers)
    {
        if (options.KeyFetching is { } given)
        {
            return given with { StateDirectory = options.StateDirectory ?? given.StateDirectory };
        }

        var fetch = JwksFetchOptions.FromEnvironment(Environment.GetEnvironmentVariable, out var problem);
        if (problem is not null)
        {
            LogEnvironment(loggers.CreateLogger<GatewayServer>(), problem);
        }

        return fetch with { StateDirectory = options.StateDirectory };
    }

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "environment: {Problem}")]
    private static partial void LogEnvironment(ILogger logger, string problem);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "{Purpose} on {EndPoint}, port {Port}")]
    private static partial void LogControl(ILogger logger, string purpose, System.Net.IPEndPoint endPoint, int port);

    [LoggerMessage(EventId = 5, Level = LogLevel.Information, Message = "ready: {Resources} resources, {Listeners} listener(s), {Problems} warning(s)")]
    private static partial void LogReady(ILogger logger, int resources, int listeners, int problems);

    private sealed class AsyncDisposer(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
