namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>What became of the spans, over all collectors.</summary>
internal sealed class TraceStatistics
{
    private long _exported;
    private long _failed;
    private long _dropped;

    /// <summary>Taken by a collector.</summary>
    public long Exported => Volatile.Read(ref _exported);

    /// <summary>Sent, and not taken.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Not sent for want of room.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    public void AddExported(long spans) => Interlocked.Add(ref _exported, spans);

    public void AddFailed(long spans) => Interlocked.Add(ref _failed, spans);

    public void AddDropped() => Interlocked.Increment(ref _dropped);
}
