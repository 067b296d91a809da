using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Telemetry.Metrics;

namespace Portcullis.Gateway.Limits;

/// <summary>
/// Turns work away before it is begun when the gateway has too much: connections over a cap are closed when they come, requests are answered 503
/// before any stage sees them. When calm it costs a request one read of a field. The control ports are never asked.
/// </summary>
internal sealed partial class OverloadGuard : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private readonly GatewayLimits _limits;
    private readonly ILogger _logger;
    private readonly PressureGauge _gauge;
    private readonly Meter _meter = new(GatewayMetrics.MeterName);
    private readonly long[] _shed = new long[Enum.GetValues<ShedReason>().Length];
    private readonly ManualResetEventSlim _stop = new();
    private readonly PollingDelay? _polling;
    private readonly Thread? _watch;
    private volatile ShedReason _pressure;
    private int _connections;
    private int _requests;
    private long _probeQueued;
    private long _probeDelay;

    /// <summary>Begins to watch the process.</summary>
    public OverloadGuard(GatewayLimits limits, ILogger logger)
    {
        _limits = limits;
        _logger = logger;
        _gauge = new PressureGauge(limits);
        _meter.CreateObservableCounter("portcullis_overload_shed", Measure, description: "Connections closed and requests answered 503 for want of room.");
        if (limits.QueueDelay > TimeSpan.Zero || limits.MemoryPercent > 0)
        {
            _polling = InlineSockets.IsOn && limits.QueueDelay > TimeSpan.Zero ? PollingDelay.TryOpen() : null;
            // A thread of its own: the pool that it measures may be the one that is stuck.
            _watch = new Thread(Watch) { IsBackground = true, Name = "overload" };
            _watch.Start();
        }
    }

    /// <summary>Connections that are open.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Takes a connection of a listener in.</summary>
    /// <returns>Whether there is room; only then <see cref="CloseConnection"/> follows.</returns>
    public bool TryOpenConnection(ListenerLoad listener)
    {
        if (Interlocked.Increment(ref _connections) > _limits.Connections)
        {
            Interlocked.Decrement(ref _connections);
            Count(ShedReason.Connections);
            return false;
        }

        if (listener.Open() > _limits.ConnectionsPerListener && _limits.ConnectionsPerListener > 0)
        {
            CloseConnection(listener);
            Count(ShedReason.ListenerConnections);
            return false;
        }

        return true;
    }

    /// <summary>Gives the room of a connection back.</summary>
    public void CloseConnection(ListenerLoad listener)
    {
        listener.Close();
        Interlocked.Decrement(ref _connections);
    }

    /// <summary>Takes a request in.</summary>
    /// <returns>Why there is no room; on <see cref="ShedReason.None"/> <see cref="EndRequest"/> follows.</returns>
    public ShedReason TryBeginRequest()
    {
        if (_pressure is var pressure and not ShedReason.None)
        {
            Count(pressure);
            return pressure;
        }

        if (_limits.ActiveRequests > 0 && Interlocked.Increment(ref _requests) > _limits.ActiveRequests)
        {
            Interlocked.Decrement(ref _requests);
            Count(ShedReason.Requests);
            return ShedReason.Requests;
        }

        return ShedReason.None;
    }

    /// <summary>Gives the room of a request back.</summary>
    public void EndRequest()
    {
        if (_limits.ActiveRequests > 0)
        {
            Interlocked.Decrement(ref _requests);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Set();
        _watch?.Join();
        _polling?.Dispose();
        _stop.Dispose();
        _meter.Dispose();
    }

    private void Watch()
    {
        while (!_stop.Wait(Period))
        {
            var before = _pressure;
            var delay = QueueDelay();
            if (_polling?.Measure() is { } polled && polled > delay)
            {
                delay = polled;
            }

            var now = _gauge.Judge(delay, Environment.WorkingSet, GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes);
            if (now == before)
            {
                continue;
            }

            _pressure = now;
            if (now == ShedReason.None)
            {
                LogCalm(_logger);
            }
            else
            {
                LogPressure(_logger, Name(now));
            }
        }
    }

    /// <summary>How late the last probe began, or how long the one on its way has waited already.</summary>
    private TimeSpan QueueDelay()
    {
        if (Volatile.Read(ref _probeQueued) is var queued and not 0)
        {
            return Stopwatch.GetElapsedTime(queued);
        }

        var delay = TimeSpan.FromTicks(Volatile.Read(ref _probeDelay));
        Volatile.Write(ref _probeQueued, Stopwatch.GetTimestamp());
        ThreadPool.UnsafeQueueUserWorkItem(
            static guard =>
            {
                Volatile.Write(ref guard._probeDelay, Stopwatch.GetElapsedTime(Volatile.Read(ref guard._probeQueued)).Ticks);
                Volatile.Write(ref guard._probeQueued, 0);
            },
            this,
            preferLocal: false);
        return delay;
    }

    private void Count(ShedReason reason) => Interlocked.Increment(ref _shed[(int)reason]);

    private IEnumerable<Measurement<long>> Measure()
    {
        for (var reason = ShedReason.Connections; (int)reason < _shed.Length; reason++)
        {
            yield return new Measurement<long>(Volatile.Read(ref _shed[(int)reason]), new KeyValuePair<string, object?>("reason", Name(reason)));
        }
    }

    private static string Name(ShedReason reason) => reason switch
    {
        ShedReason.Connections => "connections",
        ShedReason.ListenerConnections => "listener_connections",
        ShedReason.Requests => "requests",
        ShedReason.QueueDelay => "queue_delay",
        ShedReason.Memory => "memory",
        _ => "none",
    };

    [LoggerMessage(EventId = 1201, Level = LogLevel.Warning, Message = "overloaded ({Reason}): requests are answered 503 until it passes")]
    private static partial void LogPressure(ILogger logger, string reason);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Warning, Message = "no longer overloaded")]
    private static partial void LogCalm(ILogger logger);
}
