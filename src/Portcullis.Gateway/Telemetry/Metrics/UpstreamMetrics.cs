using System.Diagnostics.Metrics;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>What happens on the way to backends; names and labels are public API, listed in docs/reference/metrics.md.</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    private readonly Meter _meter = new(GatewayMetrics.MeterName);
    private readonly Counter<long> _retries;
    private readonly Counter<long> _overflows;
    private readonly Counter<long> _ejections;

    public UpstreamMetrics()
    {
        _retries = _meter.CreateCounter<long>("portcullis_upstream_retries", description: "Further tries of requests, by cluster.");
        _overflows = _meter.CreateCounter<long>("portcullis_upstream_overflows", description: "Requests and retries refused by a limit of the connection pool, by cluster.");
        _ejections = _meter.CreateCounter<long>("portcullis_upstream_ejections", description: "Endpoints taken out of use by outlier detection, by cluster.");
    }

    public void Retried(string cluster) => _retries.Add(1, Label(cluster));

    public void Overflowed(string cluster) => _overflows.Add(1, Label(cluster));

    public void Ejected(string cluster) => _ejections.Add(1, Label(cluster));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Label(string cluster) => new("cluster", cluster);
}
