namespace Portcullis.Gateway.Forwarding;

/// <summary>What is known of a cluster at run time, from one snapshot to the next: whose turn it is, who is ejected, and what is in flight.</summary>
internal sealed class UpstreamClusterState(TimeProvider time, Action<string>? ejected = null)
{
    private uint _turn;

    /// <summary>Outlier detection.</summary>
    public OutlierDetector Outliers { get; } = new(time, ejected);

    /// <summary>What is in flight, against the cluster's limits.</summary>
    public CircuitBreaker Breaker { get; } = new();

    /// <summary>Counts picks in turn, from 0.</summary>
    public uint NextTurn() => Interlocked.Increment(ref _turn) - 1;

    /// <summary>Time between two timestamps.</summary>
    public TimeSpan Elapsed(long from, long to) => time.GetElapsedTime(from, to);
}
