using System.Diagnostics.Metrics;

namespace Portcullis.Gateway.Jwks;

/// <summary>How a fetch ended; the values of the tag <c>outcome</c>.</summary>
internal enum JwksFetchOutcome
{
    /// <summary>Other keys than before: <c>changed</c>.</summary>
    Changed,

    /// <summary>The same keys: <c>unchanged</c>.</summary>
    Unchanged,

    /// <summary>The server answered 304: <c>not_modified</c>.</summary>
    NotModified,

    /// <summary>Nothing usable: <c>failed</c>.</summary>
    Failed,
}

/// <summary>The instruments of key fetching. Issuers are those of the configuration, so the number of series is bounded by it.</summary>
internal sealed class JwksMetrics : IDisposable
{
    private readonly Meter _meter = new(RemoteJwksResolver.MeterName);
    private readonly Counter<long> _fetches;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _unknownKeys;

    public JwksMetrics(Func<IReadOnlyList<JwksSourceStatus>> read, TimeProvider timeProvider)
    {
        _fetches = _meter.CreateCounter<long>("portcullis.jwks.fetches", "{fetch}", "Fetches of key sets by issuer and outcome.");
        _duration = _meter.CreateHistogram<double>("portcullis.jwks.fetch.duration", "s", "How long fetches of key sets took.");
        _unknownKeys = _meter.CreateCounter<long>(
            "portcullis.jwks.unknown_key_fetches", "{fetch}", "Extra fetches because a token named a key that the set does not hold.");
        _meter.CreateObservableGauge(
            "portcullis.jwks.keys", () => Measure(read(), s => s.KeyCount), "{key}", "Keys in use; 0 means that every token of the issuer is refused.");
        _meter.CreateObservableGauge(
            "portcullis.jwks.consecutive_failures", () => Measure(read(), s => s.ConsecutiveFailures), "{fetch}", "Fetches that failed since the last success.");
        _meter.CreateObservableGauge(
            "portcullis.jwks.age",
            () => Measure(
                read().Where(s => s.LastSuccess is not null), s => Math.Max(0, (timeProvider.GetUtcNow() - s.LastSuccess!.Value).TotalSeconds)),
            "s",
            "Time since the keys were last fetched or confirmed.");
    }

    public void Fetched(string? issuer, JwksFetchOutcome outcome, TimeSpan duration)
    {
        var name = outcome switch
        {
            JwksFetchOutcome.Changed => "changed",
            JwksFetchOutcome.Unchanged => "unchanged",
            JwksFetchOutcome.NotModified => "not_modified",
            _ => "failed",
        };
        _fetches.Add(1, new("issuer", issuer ?? ""), new("outcome", name));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", name));
    }

    public void UnknownKey(string? issuer) => _unknownKeys.Add(1, new KeyValuePair<string, object?>("issuer", issuer ?? ""));

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<T>> Measure<T>(IEnumerable<JwksSourceStatus> sources, Func<JwksSourceStatus, T> value)
        where T : struct
    {
        foreach (var source in sources)
        {
            yield return new(value(source), new("issuer", source.Issuer ?? ""), new("url", source.Url));
        }
    }
}
