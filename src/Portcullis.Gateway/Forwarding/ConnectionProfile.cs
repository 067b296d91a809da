using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// How connections to a cluster are made. The same object as long as the settings stay, whatever else a reload changes: connections belong to it.
/// </summary>
/// <param name="limits">Timeouts and limits of connections.</param>
/// <param name="tls">TLS to the backend; <see langword="null"/> is clear text.</param>
/// <param name="breaker">Counts the connections; <see langword="null"/> where nobody asks.</param>
internal sealed class ConnectionProfile(ConnectionPoolLimits limits, UpstreamTls? tls, CircuitBreaker? breaker)
{
    /// <summary>No DestinationRule says anything of connections; shared by all such clusters.</summary>
    public static ConnectionProfile Default { get; } = new(new ConnectionPoolLimits(), null, null);

    public ConnectionPoolLimits Limits => limits;

    public UpstreamTls? Tls => tls;

    public CircuitBreaker? Breaker => breaker;
}
