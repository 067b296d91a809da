namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// The route's <c>timeout</c> and <c>perTryTimeout</c>. Both clocks stand still until the client has sent all of its request, so that a slow upload or an
/// open stream is not cut (routing.md §2.9).
/// </summary>
internal sealed class TryTimer(TimeProvider time, TimeSpan? total, TimeSpan? perTry) : IDisposable
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _source;
    private long _requestEnd;
    private bool _hasEnded;

    /// <summary>What is left of the whole; <see langword="null"/> is no limit.</summary>
    public TimeSpan? Remaining => total is not { } limit ? null : _hasEnded ? Max(limit - time.GetElapsedTime(_requestEnd)) : limit;

    /// <summary>What the current try may take: what the backend is told to expect.</summary>
    public TimeSpan? OfTry => (Remaining, perTry) switch
    {
        ({ } whole, { } one) => whole < one ? whole : one,
        var (whole, one) => whole ?? one,
    };

    /// <summary>What the first try may take: nothing has passed for the backend by then.</summary>
    public TimeSpan? OfFirstTry => total < perTry || perTry is null ? total : perTry;

    /// <summary>The whole time is over, rather than that of one try.</summary>
    public bool IsOver => Remaining == TimeSpan.Zero;

    /// <summary>The current try's time is over.</summary>
    public bool HasFired => _source?.IsCancellationRequested == true;

    /// <summary>Cancelled when the try's time is over.</summary>
    public CancellationToken BeginTry()
    {
        lock (_gate)
        {
            _source?.Dispose();
            _source = _hasEnded ? new CancellationTokenSource(OfTry ?? Timeout.InfiniteTimeSpan, time) : new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
            return _source.Token;
        }
    }

    /// <summary>The client has sent everything: the clocks start.</summary>
    public void EndRequest()
    {
        lock (_gate)
        {
            if (!_hasEnded)
            {
                _hasEnded = true;
                _requestEnd = time.GetTimestamp();
                _source?.CancelAfter(OfTry ?? Timeout.InfiniteTimeSpan);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _source?.Dispose();
            _source = null;
        }
    }

    private static TimeSpan Max(TimeSpan value) => value > TimeSpan.Zero ? value : TimeSpan.Zero;
}
