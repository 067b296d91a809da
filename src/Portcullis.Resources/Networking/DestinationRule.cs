using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>Istio's DestinationRule (networking.istio.io/v1): how traffic to a service is sent.</summary>
public sealed record DestinationRule : Resource
{
    /// <summary>Service host; a name without a dot is expanded in the rule's own namespace.</summary>
    public required string Host { get; init; }

    /// <summary>Policy for all subsets.</summary>
    public TrafficPolicy? TrafficPolicy { get; init; }

    /// <summary>Named parts of the endpoints.</summary>
    public ImmutableArray<Subset> Subsets { get; init; } = [];

    /// <summary>Namespaces that see it; empty is all.</summary>
    public ImmutableArray<string> ExportTo { get; init; } = [];

    /// <summary>Labels of the workloads that it applies to.</summary>
    public ImmutableDictionary<string, string>? WorkloadSelector { get; init; }
}

/// <summary>Endpoints that carry all of the labels.</summary>
public sealed record Subset
{
    /// <summary>Name that routes use.</summary>
    public required string Name { get; init; }

    /// <summary>Labels; empty selects all.</summary>
    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Overrides, block by block.</summary>
    public TrafficPolicy? TrafficPolicy { get; init; }
}

/// <summary>Load balancing, pools, outliers and TLS.</summary>
public sealed record TrafficPolicy
{
    /// <summary>Load balancer.</summary>
    public LoadBalancerSettings? LoadBalancer { get; init; }

    /// <summary>Connection pool.</summary>
    public ConnectionPoolSettings? ConnectionPool { get; init; }

    /// <summary>Outlier detection.</summary>
    public OutlierDetection? OutlierDetection { get; init; }

    /// <summary>TLS to the backend.</summary>
    public ClientTlsSettings? Tls { get; init; }

    /// <summary>How many retries there may be beside the requests in flight; <see langword="null"/> leaves it to <c>maxRetries</c>.</summary>
    public RetryBudget? RetryBudget { get; init; }

    /// <summary>Policies that replace this one for a port.</summary>
    public ImmutableArray<PortTrafficPolicy> PortLevelSettings { get; init; } = [];
}

/// <summary>A bound on retries that grows with the traffic.</summary>
/// <param name="Percent">Of the requests in flight or waiting.</param>
/// <param name="MinRetryConcurrency">So many may always be.</param>
public sealed record RetryBudget(double Percent = 20, int MinRetryConcurrency = 3);

/// <summary>The policy of one port.</summary>
/// <param name="Port">Service port number.</param>
/// <param name="Policy">Replaces the destination's policy wholesale.</param>
public sealed record PortTrafficPolicy(int Port, TrafficPolicy Policy);

/// <summary>Load balancer.</summary>
public sealed record LoadBalancerSettings
{
    /// <summary><c>UNSPECIFIED</c>, <c>LEAST_REQUEST</c>, <c>LEAST_CONN</c>, <c>ROUND_ROBIN</c>, <c>RANDOM</c>, <c>PASSTHROUGH</c>.</summary>
    public string? Simple { get; init; }

    /// <summary>Consistent hash.</summary>
    public ConsistentHash? ConsistentHash { get; init; }

    /// <summary>Slow start; <see langword="null"/> is none.</summary>
    public Warmup? Warmup { get; init; }

    /// <summary><c>localityLbSetting</c> or <c>zoneAwareLbSetting</c>; <see langword="null"/> leaves it to the Service and the mesh.</summary>
    public LocalityLoadBalancing? Locality { get; init; }
}

/// <summary>What a request is hashed by; one of the first four.</summary>
public sealed record ConsistentHash
{
    /// <summary>Header.</summary>
    public string? HttpHeaderName { get; init; }

    /// <summary>Cookie.</summary>
    public HashCookie? HttpCookie { get; init; }

    /// <summary>Client address.</summary>
    public bool UseSourceIp { get; init; }

    /// <summary>Query parameter.</summary>
    public string? HttpQueryParameterName { get; init; }

    /// <summary>Ring size; <see langword="null"/> is 1024.</summary>
    public int? MinimumRingSize { get; init; }

    /// <summary>Maglev instead of a ring: the table's size.</summary>
    public int? MaglevTableSize { get; init; }
}

/// <summary>Cookie of a consistent hash.</summary>
/// <param name="Name">Name.</param>
/// <param name="Path">Path.</param>
/// <param name="Ttl">Set: generated when absent; zero is a session cookie.</param>
public sealed record HashCookie(string Name, string? Path, TimeSpan? Ttl)
{
    /// <summary>Further attributes of a generated cookie; a value may be absent.</summary>
    public ImmutableArray<KeyValuePair<string, string?>> Attributes { get; init; } = [];
}

/// <summary>Slow start of new endpoints.</summary>
/// <param name="Duration">How long it lasts.</param>
/// <param name="MinimumPercent">Share of its own that an endpoint begins with.</param>
/// <param name="Aggression">Above 1, the share grows faster at first.</param>
public sealed record Warmup(TimeSpan Duration, double MinimumPercent = 10, double Aggression = 1);

/// <summary>Connection pool limits.</summary>
public sealed record ConnectionPoolSettings
{
    /// <summary><c>tcp.maxConnections</c>.</summary>
    public int? MaxConnections { get; init; }

    /// <summary><c>tcp.connectTimeout</c>; <see langword="null"/> is 10 s.</summary>
    public TimeSpan? ConnectTimeout { get; init; }

    /// <summary><c>tcp.maxConnectionDuration</c>.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    /// <summary><c>tcp.idleTimeout</c>.</summary>
    public TimeSpan? TcpIdleTimeout { get; init; }

    /// <summary><c>http.http1MaxPendingRequests</c>.</summary>
    public int? Http1MaxPendingRequests { get; init; }

    /// <summary><c>http.http2MaxRequests</c>.</summary>
    public int? Http2MaxRequests { get; init; }

    /// <summary><c>http.maxRequestsPerConnection</c>; 0 or absent is unlimited.</summary>
    public int? MaxRequestsPerConnection { get; init; }

    /// <summary><c>http.maxRetries</c>.</summary>
    public int? MaxRetries { get; init; }

    /// <summary><c>http.idleTimeout</c>; <see langword="null"/> is 1 h.</summary>
    public TimeSpan? HttpIdleTimeout { get; init; }

    /// <summary><c>http.h2UpgradePolicy</c>.</summary>
    public string? H2UpgradePolicy { get; init; }

    /// <summary><c>http.useClientProtocol</c>.</summary>
    public bool UseClientProtocol { get; init; }

    /// <summary><c>tcp.tcpKeepalive</c>.</summary>
    public TcpKeepalive? TcpKeepalive { get; init; }

    /// <summary><c>http.http2KeepAlive.interval</c>.</summary>
    public TimeSpan? Http2KeepAliveInterval { get; init; }

    /// <summary><c>http.http2KeepAlive.timeout</c>.</summary>
    public TimeSpan? Http2KeepAliveTimeout { get; init; }

    /// <summary><c>http.maxConcurrentStreams</c>.</summary>
    public int? MaxConcurrentStreams { get; init; }
}

/// <summary>TCP keep-alive; what is not given is the system's.</summary>
/// <param name="Probes">Unanswered probes until the connection is dead.</param>
/// <param name="Time">Idle time before the first.</param>
/// <param name="Interval">Between two.</param>
public sealed record TcpKeepalive(int? Probes, TimeSpan? Time, TimeSpan? Interval);

/// <summary>Outlier detection; present means on.</summary>
public sealed record OutlierDetection
{
    /// <summary>Default 5; 0 disables.</summary>
    public int? Consecutive5xxErrors { get; init; }

    /// <summary>Off unless set.</summary>
    public int? ConsecutiveGatewayErrors { get; init; }

    /// <summary>Local failures when split.</summary>
    public int? ConsecutiveLocalOriginFailures { get; init; }

    /// <summary>Count local failures by themselves.</summary>
    public bool SplitExternalLocalOriginErrors { get; init; }

    /// <summary>Default 10 s.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Default 30 s.</summary>
    public TimeSpan? BaseEjectionTime { get; init; }

    /// <summary>Default 10.</summary>
    public int? MaxEjectionPercent { get; init; }

    /// <summary>Default 0.</summary>
    public int? MinHealthPercent { get; init; }

    /// <summary>Statuses that count as failures in the place of 5xx; empty is 5xx.</summary>
    public ImmutableArray<int> HttpErrorCodes { get; init; } = [];
}

/// <summary>TLS to the backend (<c>tls.mode</c>).</summary>
public enum ClientTlsMode
{
    /// <summary>Plain.</summary>
    Disable,

    /// <summary>TLS.</summary>
    Simple,

    /// <summary>TLS with a client certificate.</summary>
    Mutual,

    /// <summary>Mesh certificates.</summary>
    IstioMutual,
}

/// <summary>TLS settings to the backend.</summary>
public sealed record ClientTlsSettings
{
    /// <summary>How.</summary>
    public ClientTlsMode Mode { get; init; }

    /// <summary>Client certificate file.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>Private key file.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>CA file; <see langword="null"/> is the system's store.</summary>
    public string? CaCertificates { get; init; }

    /// <summary>Revocation list file.</summary>
    public string? CaCrl { get; init; }

    /// <summary>Secret with certificate and CA.</summary>
    public string? CredentialName { get; init; }

    /// <summary>Accepted names.</summary>
    public ImmutableArray<string> SubjectAltNames { get; init; } = [];

    /// <summary>SNI to send.</summary>
    public string? Sni { get; init; }

    /// <summary>Do not verify.</summary>
    public bool InsecureSkipVerify { get; init; }
}
