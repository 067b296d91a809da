namespace Portcullis.Gateway.Forwarding;

/// <summary>One address of a backend with what is known of it at run time; survives reloads that keep the address.</summary>
internal sealed class UpstreamEndpoint(string address, string prefix)
{
    private int _active;

    /// <summary><c>10.0.0.5:8080</c>.</summary>
    public string Address { get; } = address;

    /// <summary>Scheme and authority that requests are sent to, for example <c>http://10.0.0.5:8080</c>.</summary>
    public string Prefix { get; } = prefix;

    /// <summary>Requests in flight; what the least-request balancer compares.</summary>
    public int Active => Volatile.Read(ref _active);

    public void Begin() => Interlocked.Increment(ref _active);

    public void End() => Interlocked.Decrement(ref _active);
}
