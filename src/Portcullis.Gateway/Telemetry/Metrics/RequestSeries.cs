namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>What is counted of the requests that have all labels in common.</summary>
internal sealed class RequestSeries(string labels)
{
    /// <summary>The labels as Prometheus reads them, without braces; written once.</summary>
    public string Labels { get; } = labels;

    /// <summary>Milliseconds; the sum is in microseconds. Its count is the number of requests.</summary>
    public BucketedCounts Duration { get; } = new();

    /// <summary>Bytes of the request body.</summary>
    public BucketedCounts RequestBytes { get; } = new();

    /// <summary>Bytes of the response body.</summary>
    public BucketedCounts ResponseBytes { get; } = new();

    /// <summary>Counts a request.</summary>
    public void Add(TimeSpan elapsed, long received, long sent)
    {
        Duration.Add(elapsed.TotalMilliseconds, elapsed.Ticks / TimeSpan.TicksPerMicrosecond);
        RequestBytes.Add(received, received);
        ResponseBytes.Add(sent, sent);
    }
}
