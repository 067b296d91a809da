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
    bool sharesPorts,
    TimeSpan drainTime) : IAsyncDisposable
{
    /// <summary>For handshakes on a port that is given up: below the second after which a client that was not heard asks again.</summary>
    private static readonly TimeSpan Handshakes = TimeSpan.FromMilliseconds(500);

    /// <summary>The same where the configuration drops a port and the change waits for it.</summary>
    private static readonly TimeSpan HandshakesOfDropped = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// How long a connection without a request may wait for its last one, whose answer says that it closes. Closed at once, it would cross with the
    /// request that a client is just sending.
    /// </summary>
    private static readonly TimeSpan LastRequest = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    private readonly ILogger _logger = loggers.CreateLogger("Portcullis.Listeners");
    private readonly Dictionary<ListenerKey, OpenListener> _open = [];
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
            _open.Remove(gone, out var listener);
            LogClosing(_logger, gone);
            _draining.RemoveAll(t => t.IsCompleted);
            await listener!.Socket.StopAcceptingAsync(HandshakesOfDropped); // waited for: the next change may want the port again
            _draining.Add(DrainAsync(listener, TimeSpan.Zero));
        }

        var failed = ImmutableArray.CreateBuilder<(ListenerKey, string)>();
        foreach (var key in keys.Where(k => !_open.ContainsKey(k)))
        {
            try
            {
                var load = new ListenerLoad(guard, limits);
                var settings = new ListenerSettings(limits, load, sharesPorts, InlineSockets.IsOn);
                var socket = await HttpListenerSocket.StartAsync(key, createApplication(key, load), services, loggers, settings, createGate(key), cancellationToken);
                _open[key] = new OpenListener(socket, load);
                LogListening(_logger, key, socket.Port);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
            {
                failed.Add((key, e.GetBaseException().Message));
            }
        }

        Bound = _open.ToImmutableDictionary(o => o.Key, o => o.Value.Socket.Port);
        return failed.ToImmutable();
    }

    /// <summary>Stops accepting everywhere and lets requests in flight finish; cuts them when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken abort)
    {
        using var cut = abort.Register(_abort.Cancel);
        var stopping = _open.Values.Select(l => DrainAsync(l, Handshakes)).ToArray();
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

    private async Task DrainAsync(OpenListener listener, TimeSpan handshakes)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        limit.CancelAfter(drainTime);
        listener.Load.BeginDrain();
        if (!limit.IsCancellationRequested)
        {
            await listener.Socket.StopAcceptingAsync(handshakes);
            await WaitForLastRequestsAsync(listener.Load, limit.Token);
        }

        await listener.Socket.StopAsync(limit.Token);
        await listener.Socket.DisposeAsync();
    }

    private static async Task WaitForLastRequestsAsync(ListenerLoad load, CancellationToken limit)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(limit);
        patience.CancelAfter(LastRequest);
        while (load.Connections > 0 && !patience.IsCancellationRequested)
        {
            await Task.Delay(Glance, patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private sealed record OpenListener(HttpListenerSocket Socket, ListenerLoad Load);

    [LoggerMessage(EventId = 1101, Level = LogLevel.Information, Message = "listening on {Listener}, port {Port}")]
    private static partial void LogListening(ILogger logger, ListenerKey listener, int port);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Information, Message = "no longer listening on {Listener}; open connections drain")]
    private static partial void LogClosing(ILogger logger, ListenerKey listener);
}
