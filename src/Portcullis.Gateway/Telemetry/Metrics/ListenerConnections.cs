namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>Connections of one listener.</summary>
internal sealed class ListenerConnections
{
    private long _opened;
    private long _closed;

    /// <summary>Accepted since the start.</summary>
    public long Opened => Volatile.Read(ref _opened);

    /// <summary>Open now.</summary>
    public long Active => Opened - Volatile.Read(ref _closed);

    /// <summary>Counts a connection until the result is disposed of.</summary>
    public Lease Open()
    {
        Interlocked.Increment(ref _opened);
        return new Lease(this);
    }

    /// <summary>One open connection.</summary>
    public readonly struct Lease(ListenerConnections owner) : IDisposable
    {
        public void Dispose() => Interlocked.Increment(ref owner._closed);
    }
}
