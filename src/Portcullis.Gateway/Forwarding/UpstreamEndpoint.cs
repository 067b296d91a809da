namespace Portcullis.Gateway.Forwarding;

/// <summary>One address of a backend with what is known of it at run time; survives reloads that keep the address.</summary>
/// <param name="address"><c>10.0.0.5:8080</c>.</param>
/// <param name="firstSeen">Timestamp of the clock when it came.</param>
internal sealed class UpstreamEndpoint(string address, long firstSeen = 0)
{
    private int _active;

    /// <summary><c>10.0.0.5:8080</c>.</summary>
    public string Address { get; } = address;

    /// <summary>Where requests are sent to in clear: <c>http://10.0.0.5:8080</c>.</summary>
    public string ClearPrefix { get; } = "http://" + address;

    /// <summary>Where requests are sent to over TLS.</summary>
    public string SecurePrefix { get; } = "https://" + address;

    /// <summary>When it came; slow start counts from here.</summary>
    public long FirstSeen { get; } = firstSeen;

    /// <summary>What outlier detection thinks of it.</summary>
    public OutlierState Outlier { get; } = new();

    /// <summary>Requests in flight; what the least-request balancer compares.</summary>
    public int Active => Volatile.Read(ref _active);

    public void Begin() => Interlocked.Increment(ref _active);

    public void End() => Interlocked.Decrement(ref _active);
}
