using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Pipeline;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>
/// The gateway's own instruments; names and labels are public API, listed in docs/reference/metrics.md. Labels come from the configuration, never
/// from what a client sends, so that no client can make series without bound.
/// </summary>
internal sealed class GatewayMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Portcullis.Gateway";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _decisions;
    private readonly Counter<long> _dryRuns;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _checks;
    private readonly Histogram<double> _checkDuration;

    public GatewayMetrics(SnapshotHolder<GatewaySnapshot> snapshots, VerifiedTokenCache? cache)
    {
        _requests = _meter.CreateCounter<long>("istio_requests", description: "Requests answered, as Istio counts them.");
        _duration = _meter.CreateHistogram<double>("istio_request_duration_milliseconds", description: "Time from request to complete response.");
        _tokens = _meter.CreateCounter<long>("portcullis_jwt_refused", description: "Requests refused by JWT authentication, by status.");
        _decisions = _meter.CreateCounter<long>("portcullis_authorization_denied", description: "Requests denied by AuthorizationPolicy, by policy.");
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

    /// <summary>Counts a complete request.</summary>
    public void Record(GatewayContext context)
    {
        if (!_requests.Enabled)
        {
            return;
        }

        var tags = new TagList
        {
            { "reporter", "source" },
            { "response_code", context.ClientAborted ? "0" : Code(context.Http.Response.StatusCode) },
            { "response_flags", context.ResponseFlags ?? "-" },
            { "destination_service", context.Cluster?.Host ?? "unknown" },
            { "request_protocol", LocalReply.IsGrpc(context.Http.Request) ? "grpc" : "http" },
        };
        _requests.Add(1, tags);
        _duration.Record(context.Elapsed.TotalMilliseconds, tags);
        if (context.TokenStatus is { } status)
        {
            _tokens.Add(1, new KeyValuePair<string, object?>("status", status.ToString()));
        }
        else if (!context.Decision.IsAllowed)
        {
            _decisions.Add(1, new KeyValuePair<string, object?>("policy", context.Decision.PolicyId ?? "none"));
        }

        RecordDryRun("allow", context.Decision.AllowShadow);
        RecordDryRun("deny", context.Decision.DenyShadow);
    }

    public void Dispose() => _meter.Dispose();

    private void RecordDryRun(string action, ShadowResult? result)
    {
        if (result is { } shadow)
        {
            _dryRuns.Add(1, new TagList { { "action", action }, { "result", shadow.IsAllowed ? "allowed" : "denied" }, { "policy", shadow.PolicyId ?? "none" } });
        }
    }

    private static IEnumerable<Measurement<int>> Problems(GatewaySnapshot snapshot) => snapshot.Problems
        .GroupBy(p => p.Severity)
        .Select(g => new Measurement<int>(g.Count(), new KeyValuePair<string, object?>("severity", g.Key.ToString().ToLowerInvariant())));

    private static string Code(int status) => status switch
    {
        200 => "200",
        401 => "401",
        403 => "403",
        404 => "404",
        503 => "503",
        _ => status.ToString(CultureInfo.InvariantCulture),
    };
}
