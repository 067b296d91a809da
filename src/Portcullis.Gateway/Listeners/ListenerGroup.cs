using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Limits;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// The gateway's own ports: opens what a new snapshot adds, drains what it drops, and touches nothing else, so that open connections of a port
/// that stays never notice a reload. One caller at a time.
/// </summary>
internal sealed partial class ListenerGroup(
    Func<ListenerKey, ListenerLoad, GatewayApplication> createApplication,
    Func<ListenerKey, ConnectionGate> createGate,
    IServiceProvider services,
    ILoggerFactory loggers,
    OverloadGuard guard,
    GatewayLimits limits,
    TimeSpan drainTime) : IAsyncDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger("Portcullis.Listeners");
    private readonly Dictionary<ListenerKey, HttpListenerSocket> _open = [];
    private readonly List<Task> _draining = [];
    private readonly CancellationTokenSource _abort = new();

    /// <summary>Asked and really bound ports.</summary>
    public ImmutableDictionary<ListenerKey, int> Bound { get; private set; } = ImmutableDictionary<ListenerKey, int>.Empty;

    /// <summary>Makes the open ports those of the list.</summary>
    /// <returns>What could not be opened, with the reason.</returns>
    public async Task<ImmutableArray<(ListenerKey Key, string Reason)>> ReconcileAsync(IEnumerable<ListenerKey> wanted, CancellationToken cancellationToken)
    {
        var keys = wanted.ToHashSet();
        foreach (var gone in _open.Keys.Where(k => !keys.Contains(k)).ToArray())
        {
            _open.Remove(gone, out var socket);
            LogClosing(_logger, gone);
            _draining.RemoveAll(t => t.IsCompleted);
            _draining.Add(DrainAsync(socket!));
        }

        var failed = ImmutableArray.CreateBuilder<(ListenerKey, string)>();
        foreach (var key in keys.Where(k => !_open.ContainsKey(k)))
        {
            try
            {
                var load = new ListenerLoad(guard, limits);
                var settings = new ListenerSettings(limits, load);
                _open[key] = await HttpListenerSocket.StartAsync(key, createApplication(key, load), services, loggers, settings, createGate(key), cancellationToken);
                LogListening(_logger, key, _open[key].Port);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                failed.Add((key, e.GetBaseException().Message));
            }
        }

        Bound = _open.ToImmutableDictionary(o => o.Key, o => o.Value.Port);
        return failed.ToImmutable();
    }

    /// <summary>Stops accepting everywhere and lets requests in flight finish; cuts them when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken abort)
    {
        using var cut = abort.Register(_abort.Cancel);
        var stopping = _open.Values.Select(DrainAsync).ToArray();
        _open.Clear();
        await Task.WhenAll([.. stopping, .. _draining]);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await StopAsync(_abort.Token);
        _abort.Dispose();
    }

    private async Task DrainAsync(HttpListenerSocket socket)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        limit.CancelAfter(drainTime);
        await socket.StopAsync(limit.Token);
        await socket.DisposeAsync();
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Information, Message = "listening on {Listener}, port {Port}")]
    private static partial void LogListening(ILogger logger, ListenerKey listener, int port);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Information, Message = "no longer listening on {Listener}; open connections drain")]
    private static partial void LogClosing(ILogger logger, ListenerKey listener);
}
