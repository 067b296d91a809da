using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Jwks;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Gateway.Telemetry.AccessLogs;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Gateway.Telemetry.Tracing;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Gateway.Configuration;

/// <summary>
/// Takes each revision of the files to the requests: compiles it, publishes it, opens and closes ports. A revision with an error is refused
/// whole, and the last good one stays.
/// </summary>
internal sealed partial class ConfigurationUpdater : IAsyncDisposable
{
    /// <summary>Warnings of the analysis that are logged; <c>check</c> lists all of them.</summary>
    private const int MaxAdvice = 50;

    private static readonly TimeSpan AdviceDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstKeysWait = TimeSpan.FromSeconds(1);

    private readonly GatewayOptions _options;
    private readonly SnapshotHolder<GatewaySnapshot> _snapshots;
    private readonly RemoteJwksResolver _keys;
    private readonly UpstreamDirectory _upstreams;
    private readonly ExternalAuthorizers _authorizers;
    private readonly ListenerGroup _listeners;
    private readonly GatewayMetrics _metrics;
    private readonly AccessLogs _accessLogs;
    private readonly Tracers _tracers;
    private readonly VerifiedTokenCache? _tokens;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FileResourceSource _source;
    private readonly TlsCertificateCache _certificates = new();
    private readonly CancellationTokenSource _stop = new();
    private IAsyncEnumerator<ResourceSet>? _revisions;
    private ImmutableArray<Problem> _refused = [];
    private Task _analysis = Task.CompletedTask;
    private CancellationTokenSource _superseded = new();

    public ConfigurationUpdater(
        GatewayOptions options,
        SnapshotHolder<GatewaySnapshot> snapshots,
        RemoteJwksResolver keys,
        VerifiedTokenCache? tokens,
        UpstreamDirectory upstreams,
        ExternalAuthorizers authorizers,
        ListenerGroup listeners,
        GatewayMetrics metrics,
        ILoggerFactory loggers,
        TimeProvider time)
    {
        _options = options;
        _snapshots = snapshots;
        _keys = keys;
        _tokens = tokens;
        _upstreams = upstreams;
        _authorizers = authorizers;
        _listeners = listeners;
        _metrics = metrics;
        _time = time;
        _logger = loggers.CreateLogger("Portcullis.Configuration");
        _accessLogs = new AccessLogs(time, loggers.CreateLogger("Portcullis.AccessLog"));
        _tracers = new Tracers(options.Workload, options.TracingEnvironment, metrics.Traces, loggers.CreateLogger("Portcullis.Traces"));
        _source = new FileResourceSource(new FileResourceSourceOptions { Paths = options.Paths, MeshConfigPath = options.MeshConfigFile }, time);
    }

    /// <summary>The configuration in force.</summary>
    public GatewaySnapshot Current => _snapshots.Current;

    /// <summary>What was found in a later revision that was refused; empty when the files and the gateway agree.</summary>
    public ImmutableArray<Problem> Refused => _refused;

    /// <summary>Reads the files, and opens the ports when there is no error.</summary>
    /// <exception cref="ConfigurationException">There is an error; nothing was opened.</exception>
    /// <exception cref="IOException">A port cannot be bound.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _revisions = _source.WatchAsync(_stop.Token).GetAsyncEnumerator(CancellationToken.None);
        if (!await _revisions.MoveNextAsync())
        {
            throw new OperationCanceledException(cancellationToken);
        }

        using var keys = _keys.BeginRevision();
        var snapshot = Compile(_revisions.Current, keys);
        if (HasError(snapshot.Problems))
        {
            throw new ConfigurationException(snapshot.Problems);
        }

        var failed = await PublishAsync(snapshot, keys, cancellationToken);
        if (!failed.IsEmpty)
        {
            throw new IOException($"cannot listen on {failed[0].Key}: {failed[0].Reason}; choose another port with --port DECLARED=BOUND");
        }

        if (snapshot.ListenerKeys.FirstOrDefault() == default)
        {
            LogNoListener(_logger);
        }
    }

    /// <summary>Takes up changes until it is cancelled. Never throws for what the files hold.</summary>
    public async Task WatchAsync(CancellationToken stop)
    {
        await using var registration = stop.Register(_stop.Cancel);
        try
        {
            while (await _revisions!.MoveNextAsync())
            {
                await UpdateAsync(_revisions.Current, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop: the snapshot in force serves what is in flight.
        }
    }

    /// <summary>Opens the access log's file anew, for who has moved it away.</summary>
    public void ReopenAccessLog() => _accessLogs.Reopen();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_revisions is not null)
        {
            await _revisions.DisposeAsync();
        }

        await _analysis.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _accessLogs.DisposeAsync();
        await _tracers.DisposeAsync();
        _superseded.Dispose();
        _stop.Dispose();
    }

    /// <summary>
    /// Beside the traffic, and once the files have come to rest: no request, start or reload waits for advice, and none competes with it. A newer
    /// configuration ends the wait, so that no queue of configurations builds up.
    /// </summary>
    private async Task AdviseAsync(GatewaySnapshot snapshot, Task previous, CancellationToken superseded)
    {
        await Task.Delay(AdviceDelay, _time, superseded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        if (superseded.IsCancellationRequested)
        {
            snapshot = GatewaySnapshot.Empty; // not kept while the analysis before this ends
        }

        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (ReferenceEquals(Current, snapshot))
        {
            LogAnalysis(snapshot);
        }
    }

    private void LogAnalysis(GatewaySnapshot snapshot)
    {
        var warnings = ConfigurationAnalysis.Analyze(snapshot.Resources, _options.Workload, snapshot.Routing)
            .Where(p => p.Severity == ProblemSeverity.Warning)
            .ToList();
        foreach (var problem in warnings.Take(MaxAdvice))
        {
            LogProblem(_logger, problem);
        }

        if (warnings.Count > MaxAdvice)
        {
            LogMoreAdvice(_logger, warnings.Count - MaxAdvice);
        }
    }

    private static bool HasError(ImmutableArray<Problem> problems) => problems.Any(p => p.Severity == ProblemSeverity.Error);

    private GatewaySnapshot Compile(ResourceSet resources, JwksRevision keys) => GatewaySnapshot.Compile(
        resources,
        new SnapshotEnvironment(_options.Workload, _options.Ports, keys, _tokens, _upstreams, _authorizers)
        {
            Certificates = _certificates,
            Telemetry = (mesh, problems) => (_accessLogs.For(mesh, problems), _tracers.For(mesh.Tracing, problems)),
        },
        [.. resources.Problems],
        generation: Current.Generation + 1);

    private async Task UpdateAsync(ResourceSet resources, CancellationToken stop)
    {
        var started = Stopwatch.GetTimestamp();
        using var keys = _keys.BeginRevision();
        var snapshot = Compile(resources, keys);
        if (HasError(snapshot.Problems))
        {
            _refused = [.. snapshot.Problems.Where(p => p.Severity == ProblemSeverity.Error)];
            _metrics.ConfigurationRefused();
            foreach (var problem in _refused)
            {
                LogError(_logger, problem);
            }

            LogRefused(_logger, _refused.Length);
            return;
        }

        _refused = [];
        foreach (var (key, reason) in await PublishAsync(snapshot, keys, stop))
        {
            LogNotBound(_logger, key, reason);
        }

        var elapsed = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        LogLive(_logger, snapshot.Generation, snapshot.Resources.All.Length, elapsed);
    }

    private async Task<ImmutableArray<(ListenerKey Key, string Reason)>> PublishAsync(
        GatewaySnapshot snapshot, JwksRevision keys, CancellationToken cancellationToken)
    {
        foreach (var problem in snapshot.Problems.Where(p => p.Severity == ProblemSeverity.Warning))
        {
            LogProblem(_logger, problem);
        }

        // A new issuer's keys are given a moment, so that its first tokens are not refused without need; a dead key server stops nothing.
        await keys.WaitForFirstAttemptAsync(FirstKeysWait, cancellationToken);
        keys.Commit();
        _snapshots.Publish(snapshot);
        _accessLogs.Commit(snapshot.AccessLog);
        _tracers.Commit(snapshot.Tracer);
        await _superseded.CancelAsync();
        _superseded.Dispose();
        _superseded = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _analysis = AdviseAsync(snapshot, _analysis, _superseded.Token);
        return await _listeners.ReconcileAsync(snapshot.ListenerKeys, cancellationToken);
    }

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "configuration is live: generation {Generation}, {Resources} resources, compiled in {Milliseconds} ms")]
    private static partial void LogLive(ILogger logger, long generation, int resources, long milliseconds);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Error, Message = "configuration is refused, the last good one stays: {Count} error(s)")]
    private static partial void LogRefused(ILogger logger, int count);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Error, Message = "{Problem}")]
    private static partial void LogError(ILogger logger, Problem problem);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void LogProblem(ILogger logger, Problem problem);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Error, Message = "cannot listen on {Listener}: {Reason}; the other listeners serve the new configuration")]
    private static partial void LogNotBound(ILogger logger, ListenerKey listener, string reason);

    [LoggerMessage(EventId = 1007, Level = LogLevel.Warning, Message = "{Count} more warnings of this kind; `portcullis check` lists them all")]
    private static partial void LogMoreAdvice(ILogger logger, int count);

    [LoggerMessage(EventId = 1005, Level = LogLevel.Warning, Message = "no Gateway selects this gateway's labels, so it listens nowhere; look at --labels and at the selectors")]
    private static partial void LogNoListener(ILogger logger);
}
