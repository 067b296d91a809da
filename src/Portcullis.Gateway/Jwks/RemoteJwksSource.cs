using System.Globalization;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Gateway.Jwks;

/// <summary>
/// The keys of one location, fetched by a loop of its own: one fetch at a time, never on a request's path. Requests read one reference. Keys that came once
/// stay when a fetch fails (authentication.md §9); without keys the source says so, and every token fails.
/// </summary>
internal sealed class RemoteJwksSource : JwksSource, IAsyncDisposable
{
    private readonly JwksFetchServices _services;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _firstAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly JwksWake _wake;
    private readonly Task _loop;
    private JwksState _state;
    private JwksSourceStatus _status;
    private JwksFetchMemory _memory;
    private DateTimeOffset _writtenAt;
    private JwksHttpClient? _client;
    private long _lastHint = long.MinValue;

    /// <param name="location">Where its keys are.</param>
    /// <param name="services">Shared with all sources.</param>
    /// <param name="known">Keys to begin with: kept on disk, or of another source with the same issuer and URL.</param>
    public RemoteJwksSource(JwksLocation location, JwksFetchServices services, JwksKnownKeys? known)
    {
        Location = location;
        _services = services;
        _wake = new JwksWake(services.TimeProvider);
        _memory = new(known?.KeysUrl, null);
        _state = new(known?.Keys, JwtStatus.VerificationFailed, known is null ? 0 : 1);
        _status = new JwksSourceStatus
        {
            Issuer = location.Issuer,
            Url = DisplayUrl(),
            IsDiscovered = location.JwksUri is null,
            Origin = known?.Origin ?? JwksOrigin.None,
            KeyCount = known?.Keys.Keys.Length ?? 0,
            KeyIds = JwksKeys.Ids(known?.Keys),
            Generation = _state.Generation,
            LastSuccess = known?.FetchedAt,
            NextTry = services.TimeProvider.GetUtcNow(),
        };
        _loop = Task.Run(RunAsync);
    }

    public JwksLocation Location { get; }

    /// <inheritdoc/>
    public override JwksState Current => Volatile.Read(ref _state);

    public JwksSourceStatus Status => Volatile.Read(ref _status);

    /// <summary>Ends with the first fetch, well or not, and when the source stops.</summary>
    public Task FirstAttempt => _firstAttempt.Task;

    /// <summary>What another source for the same keys may begin with.</summary>
    public JwksKnownKeys? Known => (Current.Keys, Status) is ({ } keys, { LastSuccess: { } fetchedAt } status)
        ? new(keys, Volatile.Read(ref _memory).KeysUrl, fetchedAt, status.Origin)
        : null;

    /// <inheritdoc/>
    public override void KeyNotFound(string? keyId)
    {
        if (Current.Keys is null)
        {
            return; // its fetches are being tried again as it is
        }

        // At most one extra fetch an interval: random key ids must not turn us against the key server.
        var (last, now) = (Volatile.Read(ref _lastHint), _services.TimeProvider.GetTimestamp());
        if ((last == long.MinValue || _services.TimeProvider.GetElapsedTime(last, now) >= _services.Options.RefreshInterval)
            && Interlocked.CompareExchange(ref _lastHint, now, last) == last)
        {
            _wake.Hint();
        }
    }

    /// <summary>The loop has ended.</summary>
    public bool IsStopped => _loop.IsCompleted;

    /// <summary>Stops fetching; what is in force stays readable for requests in flight.</summary>
    public void Stop() => _stop.Cancel();

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        try
        {
            var isExtra = false;
            while (await TryAttemptAsync(isExtra).ConfigureAwait(false))
            {
                isExtra = await _wake.WaitAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            Volatile.Write(ref _status, Status with { NextTry = null });
        }
        finally
        {
            _firstAttempt.TrySetResult();
            _wake.Dispose();
            _client?.Dispose();
        }
    }

    /// <summary>The loop outlives every error of ours: a source that stopped unnoticed would keep its keys for ever.</summary>
    private async Task<bool> TryAttemptAsync(bool isExtra)
    {
        try
        {
            return await AttemptAsync(isExtra).ConfigureAwait(false);
        }
        catch (Exception failure) when (!_stop.IsCancellationRequested)
        {
            Log.LoopFailed(_services.Logger, failure, IssuerName);
            _wake.Set(_services.Options.BackoffInitial);
            return true;
        }
    }

    /// <returns>Whether there can be a next one.</returns>
    private async Task<bool> AttemptAsync(bool isExtra)
    {
        if (isExtra)
        {
            _services.Metrics.UnknownKey(Location.Issuer);
            Log.UnknownKey(_services.Logger, IssuerName, Status.Url);
        }

        using var place = await _services.Gate.EnterAsync(_stop.Token).ConfigureAwait(false);
        var started = _services.TimeProvider.GetTimestamp();
        var goesOn = true;
        JwksFetchOutcome outcome;
        try
        {
            var fetched = await Fetcher().FetchAsync(_memory, isExtra, _stop.Token).ConfigureAwait(false);
            outcome = Succeed(fetched);
        }
        catch (JwksFetchException failure)
        {
            goesOn = !failure.IsPermanent;
            outcome = Fail(failure.Message, goesOn);
        }
        catch (Exception failure) when (!_stop.IsCancellationRequested)
        {
            Log.LoopFailed(_services.Logger, failure, IssuerName);
            outcome = Fail("an error of the gateway's own: " + failure.GetType().Name, goesOn);
        }

        _services.Metrics.Fetched(Location.Issuer, outcome, _services.TimeProvider.GetElapsedTime(started));
        _firstAttempt.TrySetResult();
        _services.Attempted(Status);
        return goesOn;
    }

    private JwksFetcher Fetcher()
    {
        _client ??= new JwksHttpClient(
            JwksRequestProfile.Read(Location.Annotations), _services.Rule, _services.Connector, _services.Options, _services.TimeProvider);
        return new JwksFetcher(Location, _client);
    }

    private JwksFetchOutcome Succeed(JwksFetched fetched)
    {
        var (old, now) = (Status, _services.TimeProvider.GetUtcNow());
        Volatile.Write(ref _memory, fetched.Memory);
        var state = Current;
        var changed = fetched.Keys is not null && !JwksKeys.AreSame(state.Keys, fetched.Keys);
        if (changed)
        {
            state = new JwksState(fetched.Keys, JwtStatus.VerificationFailed, state.Generation + 1);
            Volatile.Write(ref _state, state);
        }

        var warning = Keep(fetched, changed, now) ?? fetched.Warning;
        Publish(old with
        {
            Url = DisplayUrl(),
            Origin = JwksOrigin.KeyServer,
            KeyCount = state.Keys!.Keys.Length,
            KeyIds = changed ? JwksKeys.Ids(state.Keys) : old.KeyIds,
            Generation = state.Generation,
            LastSuccess = now,
            LastFailure = null,
            ConsecutiveFailures = 0,
            Warning = warning,
        });

        if (changed)
        {
            var keyIds = string.Join(", ", Status.KeyIds);
            Log.KeysChanged(_services.Logger, IssuerName, Status.Url, state.Generation, keyIds);
        }

        if (old.ConsecutiveFailures > 0)
        {
            Log.Recovered(_services.Logger, IssuerName, Status.Url, old.ConsecutiveFailures);
        }

        if (warning is not null && warning != old.Warning)
        {
            Log.Warned(_services.Logger, IssuerName, Status.Url, warning);
        }

        return changed ? JwksFetchOutcome.Changed : fetched.Keys is null ? JwksFetchOutcome.NotModified : JwksFetchOutcome.Unchanged;
    }

    private JwksFetchOutcome Fail(string reason, bool goesOn)
    {
        var next = Status with { LastFailure = reason, ConsecutiveFailures = Status.ConsecutiveFailures + 1 };
        if (Current.Keys is not null && next.LastSuccess is { } last && _services.TimeProvider.GetUtcNow() - last >= _services.Options.KeepKeys)
        {
            // Fails closed: keys that nobody has confirmed for so long may have been given up by their owner.
            var empty = new JwksState(null, JwtStatus.VerificationFailed, Current.Generation + 1);
            Volatile.Write(ref _state, empty);
            Volatile.Write(ref _memory, _memory with { Validators = null });
            next = next with { Origin = JwksOrigin.None, KeyCount = 0, KeyIds = [], Generation = empty.Generation };
            Log.KeysExpired(_services.Logger, IssuerName, next.Url, last);
        }

        Publish(next, goesOn);
        Log.FetchFailed(
            _services.Logger,
            IssuerName,
            next.Url,
            reason,
            next.KeyCount > 0 ? "the last good keys stay in force" : "its tokens are refused",
            Status.NextTry?.ToString("u", CultureInfo.InvariantCulture) ?? "none, the configuration has to change");
        return JwksFetchOutcome.Failed;
    }

    /// <summary>Sets the next wake-up, then shows the status that names it.</summary>
    private void Publish(JwksSourceStatus status, bool goesOn = true)
    {
        var now = _services.TimeProvider.GetUtcNow();
        var wait = JwksSchedule.Next(_services.Options, status.ConsecutiveFailures, status.KeyCount > 0, Random.Shared.NextDouble());
        if (status is { ConsecutiveFailures: > 0, KeyCount: > 0, LastSuccess: { } last } && last + _services.Options.KeepKeys - now < wait)
        {
            wait = last + _services.Options.KeepKeys - now; // the moment at which the keys are given up
        }

        if (goesOn)
        {
            _wake.Set(wait);
        }

        Volatile.Write(ref _status, status with { Attempts = status.Attempts + 1, LastAttempt = now, NextTry = goesOn ? now + wait : null });
    }

    /// <summary>Writes keys to disk when they are new, and now and then to say that they were confirmed.</summary>
    /// <returns>What went wrong.</returns>
    private string? Keep(JwksFetched fetched, bool changed, DateTimeOffset now)
    {
        if (_services.Store is not { } store || fetched.Json is not { } json || (!changed && now - _writtenAt < _services.Options.KeepKeys / 100))
        {
            return null;
        }

        try
        {
            store.Write(Location, new(json, Location.JwksUri is null ? _memory.KeysUrl! : "", now));
            _writtenAt = now;
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "the keys cannot be kept on disk: " + failure.Message;
        }
    }

    private string IssuerName => Location.Issuer ?? "(any)";

    private string DisplayUrl() => JwksUrl.Redact(Location.JwksUri ?? _memory.KeysUrl ?? JwksUrl.Discovery(Location.Issuer ?? ""));
}
