using System.Diagnostics;
using System.Diagnostics.Metrics;
using Portcullis.Routing;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>Counts connections that ended before a request, and those that were forwarded as they are. Labels come from the configuration.</summary>
internal sealed class ConnectionMetrics : IDisposable
{
    private readonly Meter _meter = new(GatewayMetrics.MeterName);
    private readonly Counter<long> _refused;
    private readonly Counter<long> _opened;
    private readonly Counter<long> _closed;
    private readonly Counter<long> _received;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _denied;

    public ConnectionMetrics()
    {
        _refused = _meter.CreateCounter<long>("portcullis_connections_refused", description: "Connections closed before a request, by reason.");
        _opened = _meter.CreateCounter<long>("istio_tcp_connections_opened", description: "TCP connections to backends.");
        _closed = _meter.CreateCounter<long>("istio_tcp_connections_closed", description: "TCP connections that ended, by response flag.");
        _received = _meter.CreateCounter<long>("istio_tcp_received_bytes", description: "Bytes from clients of TCP connections.");
        _sent = _meter.CreateCounter<long>("istio_tcp_sent_bytes", description: "Bytes to clients of TCP connections.");
        _denied = _meter.CreateCounter<long>("portcullis_tcp_denied", description: "TCP connections denied by AuthorizationPolicy, by policy.");
    }

    /// <summary>A connection is closed before its first request.</summary>
    /// <param name="reason">One of a fixed set of words.</param>
    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void TcpDenied(string policy) => _denied.Add(1, new KeyValuePair<string, object?>("policy", policy));

    public void TcpOpened(Cluster cluster) => _opened.Add(1, Tags(cluster, "-"));

    public void TcpRefused(Cluster? cluster, string flags) => _closed.Add(1, Tags(cluster, flags));

    public void TcpClosed(Cluster cluster, long received, long sent)
    {
        var tags = Tags(cluster, "-");
        _closed.Add(1, tags);
        _received.Add(received, tags);
        _sent.Add(sent, tags);
    }

    public void Dispose() => _meter.Dispose();

    private static TagList Tags(Cluster? cluster, string flags) => new()
    {
        { "reporter", "source" },
        { "response_flags", flags },
        { "destination_service", cluster?.Host ?? "unknown" },
    };
}
