namespace Portcullis.Gateway.Jwks;

/// <summary>Wakes the loop of one source: when its time has come, or because a token named a key that it does not hold.</summary>
internal sealed class JwksWake : IDisposable
{
    private const int Due = 1;
    private const int Hinted = 2;

    private readonly SemaphoreSlim _signal = new(0);
    private readonly ITimer _timer;
    private int _reasons;

    public JwksWake(TimeProvider timeProvider) =>
        _timer = timeProvider.CreateTimer(static wake => ((JwksWake)wake!).Signal(Due), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Sets the time of the next wake-up and forgets one that has come meanwhile.</summary>
    public void Set(TimeSpan wait)
    {
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Interlocked.And(ref _reasons, ~Due);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Wakes at once. Cheap, never waits, does nothing after disposal.</summary>
    public void Hint() => Signal(Hinted);

    /// <summary>Waits for a reason.</summary>
    /// <returns>Whether there was a hint.</returns>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        int reasons;
        do
        {
            await _signal.WaitAsync(cancellationToken).ConfigureAwait(false);
            reasons = Interlocked.Exchange(ref _reasons, 0);
        }
        while (reasons == 0);

        return (reasons & Hinted) != 0;
    }

    /// <summary>Stops the timer. The semaphore holds nothing of the system's, and a hint may still come.</summary>
    public void Dispose() => _timer.Dispose();

    private void Signal(int reason)
    {
        if ((Interlocked.Or(ref _reasons, reason) & reason) == 0)
        {
            _signal.Release();
        }
    }
}
