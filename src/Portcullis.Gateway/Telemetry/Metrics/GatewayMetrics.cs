using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.Tracing;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>
/// What the gateway counts; names and labels are public API, listed in docs/reference/metrics.md. Labels come from the configuration, never
/// from what a client sends, so that no client can make series without bound. Istio's request metrics have too many labels for an instrument that
/// looks them up for each request: they are kept in series of our own (bench/results/metrics.md).
/// </summary>
internal sealed class GatewayMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Portcullis.Gateway";

    private readonly Meter _meter = new(MeterName);
    private readonly RequestSeriesTable _series;
    private readonly ConcurrentDictionary<ListenerKey, ListenerConnections> _connections = new();
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _allowed;
    private readonly Counter<long> _denied;
    private readonly Counter<long> _dryRuns;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _checks;
    private readonly Histogram<double> _checkDuration;
    private long _started;
    private long _completed;

    public GatewayMetrics(SnapshotHolder<GatewaySnapshot> snapshots, VerifiedTokenCache? cache, WorkloadIdentity workload)
    {
        _series = new RequestSeriesTable(SourceLabels.Render(workload));
        _accepted = _meter.CreateCounter<long>("portcullis_jwt_accepted", description: "Requests with a token that was accepted, by issuer.");
        _tokens = _meter.CreateCounter<long>("portcullis_jwt_refused", description: "Requests refused by JWT authentication, by status and issuer.");
        _allowed = _meter.CreateCounter<long>("portcullis_authorization_allowed", description: "Requests that an ALLOW policy let pass, by policy.");
        _denied = _meter.CreateCounter<long>("portcullis_authorization_denied", description: "Requests denied by AuthorizationPolicy, by policy.");
        _dryRuns = _meter.CreateCounter<long>("portcullis_authorization_dry_run", description: "What dry-run policies would have decided.");
        _refusals = _meter.CreateCounter<long>("portcullis_configuration_refused", description: "Configurations that were refused for an error.");
        _checks = _meter.CreateCounter<long>("portcullis_ext_authz_checks", description: "Checks by external authorizers, by provider and outcome.");
        _checkDuration = _meter.CreateHistogram<double>("portcullis_ext_authz_check_duration_milliseconds", description: "Time that external authorizers took.");
        _meter.CreateObservableGauge("portcullis_configuration_generation", () => snapshots.Current.Generation, description: "Configurations that went live.");
        _meter.CreateObservableGauge("portcullis_configuration_problems", () => Problems(snapshots.Current), description: "Problems of the live configuration.");
        if (cache is not null)
        {
            _meter.CreateObservableGauge("portcullis_jwt_cache_tokens", () => cache.Count, description: "Verified tokens that are remembered.");
            _meter.CreateObservableGauge("portcullis_jwt_cache_size_bytes", () => cache.Bytes, description: "Bytes that they take, estimated from above.");
            _meter.CreateObservableCounter("portcullis_jwt_cache_hits", () => cache.Hits, description: "Signatures not verified because they had been.");
            _meter.CreateObservableCounter("portcullis_jwt_cache_misses", () => cache.Misses, description: "Signatures verified, with any result.");
            _meter.CreateObservableCounter("portcullis_jwt_cache_evictions", () => cache.Evictions, description: "Tokens forgotten for want of room.");
        }
    }

    /// <summary>What became of spans.</summary>
    public TraceStatistics Traces { get; } = new();

    /// <summary>Somebody can read what is counted; without that nothing is.</summary>
    public bool IsEnabled { get; set; }

    public void ConfigurationRefused() => _refusals.Add(1);

    /// <summary>Counts a check.</summary>
    /// <param name="provider">Name in the configuration.</param>
    /// <param name="outcome"><c>ok</c>, <c>denied</c>, <c>error</c>, <c>failure_mode_allowed</c> or <c>invalid</c>.</param>
    /// <param name="duration">From the choice of an endpoint to the whole answer.</param>
    public void Checked(string provider, string outcome, TimeSpan duration)
    {
        _checks.Add(1, new("provider", provider), new("outcome", outcome));
        _checkDuration.Record(duration.TotalMilliseconds, new KeyValuePair<string, object?>("provider", provider));
    }

    /// <summary>The counter of a listener's connections; the same one when a listener comes back.</summary>
    public ListenerConnections Connections(ListenerKey key) => _connections.GetOrAdd(key, static _ => new ListenerConnections());

    /// <summary>Counts a request that has begun.</summary>
    public void Begin() => Interlocked.Increment(ref _started);

    /// <summary>Counts a complete request.</summary>
    public void Record(GatewayContext context)
    {
        Interlocked.Increment(ref _completed);
        if (!IsEnabled)
        {
            return;
        }

        var http = context.Http;
        var isGrpc = LocalReply.IsGrpc(http.Request);
        var status = context.ClientAborted ? 0 : http.Response.StatusCode;
        var grpc = isGrpc ? GrpcStatus(http) : RequestSeriesTable.NoGrpcStatus;
        _series.Find(context.Cluster, context.Endpoint?.Address, status, context.ResponseFlags, isGrpc, grpc)
            .Add(context.Elapsed, context.BytesReceived, context.BytesSent);
        RecordDecision(context);
    }

    /// <summary>Writes what is not an instrument.</summary>
    public void Write(PrometheusText text)
    {
        var series = _series.All;
        if (series.Count > 0)
        {
            WriteRequests(text, series);
        }

        text.Single("portcullis_requests_active", "gauge", "Requests in flight.", Volatile.Read(ref _started) - Volatile.Read(ref _completed));
        WriteConnections(text);
        text.Describe("portcullis_trace_spans_total", "counter", "Spans by what became of them.");
        text.Value("portcullis_trace_spans_total", "outcome=\"exported\"", Traces.Exported);
        text.Value("portcullis_trace_spans_total", "outcome=\"failed\"", Traces.Failed);
        text.Value("portcullis_trace_spans_total", "outcome=\"dropped\"", Traces.Dropped);
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>From the trailers, or from the head of a response that has no body.</summary>
    internal static int GrpcStatus(HttpContext http)
    {
        var value = http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers?["grpc-status"] ?? default;
        if (value.Count == 0)
        {
            value = http.Response.Headers["grpc-status"];
        }

        return value.Count == 1 && int.TryParse(value[0], NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : RequestSeriesTable.NoGrpcStatus;
    }

    private void RecordDecision(GatewayContext context)
    {
        if (context.TokenStatus is { } refused)
        {
            // The issuer is the one of the rule that refused; a token that no rule is meant for has none that could be believed.
            _tokens.Add(1, new("status", refused.ToString()), new("issuer", IssuerOf(context) ?? "none"));
            return;
        }

        if (context.Identity?.Issuer is { } issuer && context.Snapshot.Authenticator is { } authenticator)
        {
            _accepted.Add(1, new KeyValuePair<string, object?>("issuer", authenticator.Issuers.Contains(issuer) ? issuer : "other"));
        }

        var decision = context.Decision;
        if (!decision.IsAllowed)
        {
            _denied.Add(1, new("policy", decision.PolicyId ?? "none"), new("response_code", decision.Outcome == DecisionOutcome.Challenge ? "401" : "403"));
        }
        else if (decision.PolicyId is { } policy)
        {
            _allowed.Add(1, new KeyValuePair<string, object?>("policy", policy));
        }

        RecordDryRun("allow", decision.AllowShadow);
        RecordDryRun("deny", decision.DenyShadow);
    }

    private static string? IssuerOf(GatewayContext context)
    {
        if (context.TokenRule is not { } rule)
        {
            return null;
        }

        foreach (var resource in context.Snapshot.Resources.All)
        {
            if (resource is RequestAuthentication authentication && resource.Id == rule.Policy)
            {
                return rule.Index < authentication.JwtRules.Length ? authentication.JwtRules[rule.Index].Issuer : null;
            }
        }

        return null;
    }

    private void RecordDryRun(string action, ShadowResult? result)
    {
        if (result is { } shadow)
        {
            _dryRuns.Add(1, new("action", action), new("result", shadow.IsAllowed ? "allowed" : "denied"), new("policy", shadow.PolicyId ?? "none"));
        }
    }

    private static void WriteRequests(PrometheusText text, ICollection<RequestSeries> series)
    {
        const double MicrosecondsPerMillisecond = 1000;
        Span<long> counts = stackalloc long[BucketedCounts.UpperBounds.Length + 1];
        text.Describe("istio_requests_total", "counter", "Requests answered, as Istio counts them.");
        foreach (var one in series)
        {
            one.Duration.CopyTo(counts);
            long total = 0;
            foreach (var count in counts)
            {
                total += count;
            }

            text.Value("istio_requests_total", one.Labels, total);
        }

        text.Describe("istio_request_duration_milliseconds", "histogram", "Time from request to complete response.");
        foreach (var one in series)
        {
            text.Histogram("istio_request_duration_milliseconds", one.Labels, one.Duration, MicrosecondsPerMillisecond);
        }

        text.Describe("istio_request_bytes", "histogram", "Bytes of request bodies.");
        foreach (var one in series)
        {
            text.Histogram("istio_request_bytes", one.Labels, one.RequestBytes, 1);
        }

        text.Describe("istio_response_bytes", "histogram", "Bytes of response bodies.");
        foreach (var one in series)
        {
            text.Histogram("istio_response_bytes", one.Labels, one.ResponseBytes, 1);
        }
    }

    private void WriteConnections(PrometheusText text)
    {
        if (_connections.IsEmpty)
        {
            return;
        }

        text.Describe("portcullis_listener_connections", "gauge", "Open connections of clients, by listener.");
        foreach (var (key, connections) in _connections)
        {
            text.Value("portcullis_listener_connections", Label(key), connections.Active);
        }

        text.Describe("portcullis_listener_connections_opened_total", "counter", "Connections that clients opened, by listener.");
        foreach (var (key, connections) in _connections)
        {
            text.Value("portcullis_listener_connections_opened_total", Label(key), connections.Opened);
        }
    }

    private static string Label(ListenerKey key)
    {
        var labels = new LabelText();
        labels.Add("listener", key.ToString());
        return labels.ToString();
    }

    private static IEnumerable<Measurement<int>> Problems(GatewaySnapshot snapshot) => snapshot.Problems
        .GroupBy(p => p.Severity)
        .Select(g => new Measurement<int>(g.Count(), new KeyValuePair<string, object?>("severity", g.Key.ToString().ToLowerInvariant())));
}
