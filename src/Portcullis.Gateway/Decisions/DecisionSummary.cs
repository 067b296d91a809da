using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Explanation;

namespace Portcullis.Gateway.Decisions;

/// <summary>A decision that was made, in one line's worth of facts.</summary>
public sealed record DecisionSummary
{
    /// <summary>Its id: what the client got in <c>x-portcullis-decision-id</c> and the access log has as <c>%DECISION_ID%</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Place in the order in which requests were complete.</summary>
    public required long Sequence { get; init; }

    /// <summary>When the request arrived.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>From the request to the complete answer.</summary>
    public required double DurationMs { get; init; }

    /// <summary>How the request ended at the policies.</summary>
    public required ExplainedOutcome Outcome { get; init; }

    /// <summary>Status of the answer, the backend's for a forwarded request; 0 when the client left before.</summary>
    public required int Status { get; init; }

    /// <summary>The rule that decided; <see langword="null"/> when none did.</summary>
    public string? PolicyId { get; init; }

    /// <summary>Why, in a few words.</summary>
    public required string Reason { get; init; }

    /// <summary>Envoy's response code details.</summary>
    public string? Details { get; init; }

    /// <summary>Method.</summary>
    public required string Method { get; init; }

    /// <summary>Host header.</summary>
    public required string Authority { get; init; }

    /// <summary>Path and query as received, credentials replaced.</summary>
    public required string Target { get; init; }

    /// <summary>Path as policies saw it.</summary>
    public required string Path { get; init; }

    /// <summary><c>issuer/subject</c> of the accepted token.</summary>
    public string? Principal { get; init; }

    /// <summary><c>iss</c> of the accepted token.</summary>
    public string? Issuer { get; init; }

    /// <summary><c>sub</c> of the accepted token.</summary>
    public string? Subject { get; init; }

    /// <summary>The TCP peer.</summary>
    public string? SourceIp { get; init; }

    /// <summary>The client, after X-Forwarded-For.</summary>
    public string? RemoteIp { get; init; }

    /// <summary>Port that the request came in at.</summary>
    public required int LocalPort { get; init; }

    /// <summary>Name of the route.</summary>
    public string? Route { get; init; }

    /// <summary>Cluster that it went to.</summary>
    public string? Cluster { get; init; }

    /// <summary>Headers that were kept, credentials replaced.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Generation of the configuration that decided.</summary>
    public required long Generation { get; init; }

    /// <summary>Something was too long to be kept whole.</summary>
    public bool IsCut { get; init; }

    internal static DecisionSummary Of(DecisionRecord record) => new()
    {
        Id = record.Id,
        Sequence = record.Sequence,
        Time = record.Time,
        DurationMs = record.Milliseconds,
        Outcome = OutcomeOf(record),
        Status = record.Status,
        PolicyId = record.PolicyId,
        Reason = ReasonOf(record),
        Details = record.Details,
        Method = record.Method,
        Authority = record.Authority,
        Target = record.Target,
        Path = record.Path,
        Principal = record.Principal,
        Issuer = record.Issuer,
        Subject = record.Subject,
        SourceIp = record.PeerAddress?.ToString(),
        RemoteIp = record.RemoteAddress?.ToString(),
        LocalPort = record.LocalPort,
        Route = string.IsNullOrEmpty(record.Route) ? null : record.Route,
        Cluster = record.Cluster,
        Headers = record.Headers,
        Generation = record.Generation,
        IsCut = record.IsCut,
    };

    internal static ExplainedOutcome OutcomeOf(DecisionRecord record) => record switch
    {
        { TokenStatus: not null } => ExplainedOutcome.TokenRefused,
        { Outcome: DecisionOutcome.Allowed } => ExplainedOutcome.Allowed,
        { Outcome: DecisionOutcome.Challenge } => ExplainedOutcome.Challenge,
        _ => ExplainedOutcome.Forbidden,
    };

    private static string ReasonOf(DecisionRecord record) => record switch
    {
        { TokenStatus: { } status } => status.Message,
        { Details: "ext_authz_denied", PolicyId: { } policy } => $"refused by the external authorizer of {policy}",
        { Details: "ext_authz_error" or "ext_authz_invalid", PolicyId: { } policy } => $"the external authorizer of {policy} failed",
        { Details: "request_payload_too_large", PolicyId: { } policy } => $"the body is too large for the external authorizer of {policy}",
        { IsRefused: true, PolicyId: { } policy } => $"denied by {policy}",
        { IsRefused: true } => "no ALLOW policy matches",
        { PolicyId: { } policy } => $"allowed by {policy}",
        _ => "no policy denies it, and none is needed to allow it",
    };
}

/// <summary>One page of decisions, newest first.</summary>
/// <param name="Decisions">The decisions.</param>
/// <param name="Next">Ask with <c>before=</c> this for the next page; <see langword="null"/> on the last.</param>
public sealed record DecisionPage(ImmutableArray<DecisionSummary> Decisions, long? Next);
