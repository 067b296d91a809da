using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Jwks;

/// <summary>
/// Key sets from the network, for every rule without inline keys. Each location is fetched in the background by itself: a server that hangs, fails or lies
/// harms its own issuer alone. Equal locations share a source, across configurations too.
/// </summary>
public sealed class RemoteJwksResolver : IJwksResolver, IAsyncDisposable
{
    /// <summary>
    /// Name of the meter: <c>portcullis.jwks.fetches</c>, <c>.fetch.duration</c>, <c>.unknown_key_fetches</c>, <c>.keys</c>, <c>.consecutive_failures</c>,
    /// <c>.age</c>.
    /// </summary>
    public const string MeterName = "Portcullis.Jwks";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly JwksFetchServices _services;
    private readonly Lock _lock = new();
    private readonly Dictionary<JwksLocation, RemoteJwksSource> _sources = [];
    private readonly HashSet<JwksRevision> _open = [];
    private readonly List<RemoteJwksSource> _stopped = [];
    private HashSet<JwksLocation> _inForce = [];
    private bool _disposed;

    /// <param name="options">The operator's settings.</param>
    /// <param name="logger">Gets a line for every change and every failure.</param>
    /// <param name="timeProvider">The clock of every wait and deadline; <see langword="null"/> is the system's.</param>
    /// <exception cref="IOException">The state directory cannot be made or read.</exception>
    /// <exception cref="UnauthorizedAccessException">The state directory cannot be used.</exception>
    public RemoteJwksResolver(JwksFetchOptions options, ILogger<RemoteJwksResolver>? logger = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();

        var time = timeProvider ?? TimeProvider.System;
        var rule = new JwksTargetRule(options);
        _services = new JwksFetchServices
        {
            Options = options,
            TimeProvider = time,
            Logger = logger ?? NullLogger<RemoteJwksResolver>.Instance,
            Store = options.StateDirectory is { } directory ? new JwksStateStore(directory, options.KeepKeys, time) : null,
            Metrics = new JwksMetrics(GetStatuses, time),
            Gate = new FetchGate(options.ConcurrentFetches, Patience, time),
            Rule = rule,
            Connector = new JwksConnector(rule, options.ResolveHost ?? new HostResolver().ResolveAsync, time),
            Attempted = status => Attempted?.Invoke(status),
        };
    }

    /// <summary>A fetch has ended, well or not; its result is in force. Raised on the fetching thread: handlers return at once.</summary>
    public event Action<JwksSourceStatus>? Attempted;

    /// <summary>The source for a location, which stays until a committed <see cref="JwksRevision"/> does not name it.</summary>
    public JwksSource Resolve(JwksLocation location)
    {
        ArgumentNullException.ThrowIfNull(location);
        return Open(location, _inForce);
    }

    /// <summary>Begins to collect the sources of a new configuration.</summary>
    public JwksRevision BeginRevision()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var revision = new JwksRevision(this);
            _open.Add(revision);
            return revision;
        }
    }

    /// <summary>How every source is, ordered by issuer and URL.</summary>
    public IReadOnlyList<JwksSourceStatus> GetStatuses()
    {
        lock (_lock)
        {
            return [.. _sources.Values.Select(s => s.Status).OrderBy(s => s.Issuer, StringComparer.Ordinal).ThenBy(s => s.Url, StringComparer.Ordinal)];
        }
    }

    /// <summary>How the source of a location is; <see langword="null"/> when there is none.</summary>
    public JwksSourceStatus? FindStatus(JwksLocation location)
    {
        lock (_lock)
        {
            return _sources.GetValueOrDefault(location)?.Status;
        }
    }

    /// <summary>Waits until every source has tried to fetch once.</summary>
    /// <param name="atMost">Longest wait: a dead key server must not stop a start.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether all have tried.</returns>
    public Task<bool> WaitForFirstAttemptAsync(TimeSpan atMost, CancellationToken cancellationToken = default) =>
        WaitForFirstAttemptAsync(null, atMost, cancellationToken);

    /// <summary>Stops all fetching at once. Sources stay readable.</summary>
    public async ValueTask DisposeAsync()
    {
        List<RemoteJwksSource> all;
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            all = [.. _sources.Values, .. _stopped];
            _sources.Clear();
        }

        foreach (var source in all)
        {
            source.Stop();
        }

        foreach (var source in all)
        {
            await source.DisposeAsync().ConfigureAwait(false);
        }

        _services.Metrics.Dispose();
    }

    internal RemoteJwksSource Open(JwksLocation location, HashSet<JwksLocation> holder)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            holder.Add(location);
            if (!_sources.TryGetValue(location, out var source))
            {
                source = new RemoteJwksSource(location, _services, Known(location));
                _sources.Add(location, source);
            }

            return source;
        }
    }

    internal void Close(JwksRevision revision, bool committed)
    {
        lock (_lock)
        {
            _open.Remove(revision);
            if (committed)
            {
                _inForce = [.. revision.Locations];
            }

            _stopped.RemoveAll(s => s.IsStopped);
            foreach (var (location, source) in _sources)
            {
                if (!_inForce.Contains(location) && !_open.Any(r => r.Locations.Contains(location)))
                {
                    _sources.Remove(location);
                    source.Stop();
                    _stopped.Add(source);
                }
            }
        }
    }

    internal async Task<bool> WaitForFirstAttemptAsync(
        IReadOnlyCollection<JwksLocation>? locations, TimeSpan atMost, CancellationToken cancellationToken)
    {
        Task all;
        lock (_lock)
        {
            all = Task.WhenAll(_sources.Values.Where(s => locations is null || locations.Contains(s.Location)).Select(s => s.FirstAttempt));
        }

        try
        {
            await all.WaitAsync(atMost, _services.TimeProvider, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>A location that differs only in how it is fetched begins with the keys of the other: a changed timeout refuses no token.</summary>
    private JwksKnownKeys? Known(JwksLocation location)
    {
        foreach (var source in _sources.Values)
        {
            if (source.Location.Issuer == location.Issuer && source.Location.JwksUri == location.JwksUri && source.Known is { } known)
            {
                return known;
            }
        }

        if (_services.Store is { } store && store.TryRead(location, out var stored, out var keys))
        {
            var url = JwksUrl.Redact(location.JwksUri ?? stored.KeysUrl);
            Log.KeysFromDisk(_services.Logger, location.Issuer ?? "(any)", stored.FetchedAt, url);
            return new(keys, location.JwksUri is null ? stored.KeysUrl : null, stored.FetchedAt, JwksOrigin.StateDirectory);
        }

        return null;
    }
}
