using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// Addresses of backend names. Each is asked for in the background at a fixed interval; when an answer fails, the last good one stays. A
/// request waits only for the very first answer of a name.
/// </summary>
internal sealed partial class DnsAddresses(TimeProvider time, ILogger logger, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) : IDisposable
{
    /// <summary>The system's resolver hides the record's time to live; Envoy's refresh on failure is one minute too.</summary>
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Name> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>The last good answer; empty when there never was one.</summary>
    public ValueTask<IPAddress[]> GetAsync(string name, CancellationToken cancellationToken)
    {
        var entry = _names.GetOrAdd(name, static (n, self) => self.Start(n), this);
        return entry.Addresses is { } known ? new(known) : new(entry.First.Task.WaitAsync(cancellationToken));
    }

    /// <summary>Stops asking for names that nobody uses any more.</summary>
    public void Retain(IReadOnlySet<string> names)
    {
        foreach (var (name, entry) in _names)
        {
            if (!names.Contains(name) && _names.TryRemove(name, out _))
            {
                entry.Stop.Cancel();
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private Name Start(string name)
    {
        var entry = new Name(CancellationTokenSource.CreateLinkedTokenSource(_stop.Token));
        _ = Task.Run(() => RefreshAsync(name, entry));
        return entry;
    }

    private async Task RefreshAsync(string name, Name entry)
    {
        var stop = entry.Stop.Token;
        try
        {
            while (true)
            {
                await AskAsync(name, entry, stop);
                entry.First.TrySetResult(entry.Addresses ?? []);
                await Task.Delay(RefreshInterval, time, stop);
            }
        }
        catch (OperationCanceledException)
        {
            entry.First.TrySetResult([]);
        }
    }

    private async Task AskAsync(string name, Name entry, CancellationToken stop)
    {
        try
        {
            var found = await _resolve(name, stop);
            // Resolvers rotate the order; only another set of addresses is a change.
            if (entry.Addresses is not { } known || !known.ToHashSet().SetEquals(found))
            {
                entry.Addresses = found;
            }
        }
        catch (SocketException e)
        {
            LogUnresolved(logger, name, e.SocketErrorCode, RefreshInterval.TotalSeconds);
        }
    }

    private sealed class Name(CancellationTokenSource stop)
    {
        private IPAddress[]? _addresses;

        public CancellationTokenSource Stop => stop;

        public TaskCompletionSource<IPAddress[]> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IPAddress[]? Addresses
        {
            get => Volatile.Read(ref _addresses);
            set => Volatile.Write(ref _addresses, value);
        }
    }

    [LoggerMessage(EventId = 5001, Level = LogLevel.Warning, Message = "backend name {Name} cannot be resolved ({Error}); asked again in {Seconds} s, the last good addresses stay in use")]
    private static partial void LogUnresolved(ILogger logger, string name, SocketError error, double seconds);
}
