using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>A DestinationRule as it applies to one cluster: subset and port overrides worked in (routing.md §4.2), defaults filled in.</summary>
public sealed record ClusterPolicy
{
    /// <summary>No DestinationRule.</summary>
    public static ClusterPolicy Default { get; } = new();

    /// <summary>How endpoints are chosen.</summary>
    public LoadBalancerPolicy LoadBalancer { get; init; } = LoadBalancerPolicy.LeastRequest;

    /// <summary>Limits.</summary>
    public ConnectionPoolLimits ConnectionPool { get; init; } = new();

    /// <summary>Ejection of failing endpoints; <see langword="null"/> is off.</summary>
    public OutlierPolicy? OutlierDetection { get; init; }

    /// <summary>TLS to the backend; <see langword="null"/> is plain text.</summary>
    public ClientTlsSettings? Tls { get; init; }

    /// <param name="policy">Of the DestinationRule; a block that it has replaces the mesh's as a whole.</param>
    /// <param name="mesh">What holds without.</param>
    internal static ClusterPolicy From(TrafficPolicy? policy, MeshTraffic mesh) => policy is null && ReferenceEquals(mesh, MeshTraffic.Default) ? Default : new()
    {
        LoadBalancer = LoadBalancerPolicy.From(policy?.LoadBalancer),
        ConnectionPool = ConnectionPoolLimits.From(policy?.ConnectionPool ?? mesh.ConnectionPool, mesh) with { RetryBudget = policy?.RetryBudget },
        OutlierDetection = OutlierPolicy.From(policy?.OutlierDetection ?? mesh.OutlierDetection),
        Tls = policy?.Tls is { Mode: not ClientTlsMode.Disable } tls ? tls : null,
    };
}

/// <summary>Connection pool limits (routing.md §4.4).</summary>
public sealed record ConnectionPoolLimits
{
    private static readonly TimeSpan LongestIdle = TimeSpan.FromDays(100);

    /// <summary>Open connections.</summary>
    public int MaxConnections { get; init; } = int.MaxValue;

    /// <summary>Requests that wait for a connection.</summary>
    public int MaxPendingRequests { get; init; } = int.MaxValue;

    /// <summary>Requests in flight.</summary>
    public int MaxRequests { get; init; } = int.MaxValue;

    /// <summary>Retries in flight.</summary>
    public int MaxRetries { get; init; } = int.MaxValue;

    /// <summary>Bounds retries in the place of <see cref="MaxRetries"/>, when given.</summary>
    public RetryBudget? RetryBudget { get; init; }

    /// <summary>Requests that one connection carries; 1 is no keep-alive.</summary>
    public int MaxRequestsPerConnection { get; init; } = int.MaxValue;

    /// <summary>Streams of one HTTP/2 connection.</summary>
    public int MaxConcurrentStreams { get; init; } = int.MaxValue;

    /// <summary>Limit for connecting.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When an unused connection is closed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>When a forwarded connection is closed that nothing comes on.</summary>
    public TimeSpan TcpIdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>TCP keep-alive; <see langword="null"/> is off.</summary>
    public TcpKeepalive? TcpKeepalive { get; init; }

    /// <summary>How often an HTTP/2 connection is pinged; <see langword="null"/> is never.</summary>
    public TimeSpan? Http2KeepAliveInterval { get; init; }

    /// <summary>How long a ping's answer may take.</summary>
    public TimeSpan? Http2KeepAliveTimeout { get; init; }

    /// <summary>When any connection is closed; <see langword="null"/> is never.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    internal static ConnectionPoolLimits From(ConnectionPoolSettings? written, MeshTraffic mesh)
    {
        var defaults = new ConnectionPoolLimits { TcpKeepalive = mesh.TcpKeepalive };
        defaults = mesh.ConnectTimeout is { } timeout ? defaults with { ConnectTimeout = timeout } : defaults;
        return written is null ? defaults : new()
        {
            MaxConnections = Limit(written.MaxConnections),
            MaxPendingRequests = Limit(written.Http1MaxPendingRequests),
            MaxRequests = Limit(written.Http2MaxRequests),
            MaxRetries = Limit(written.MaxRetries),
            MaxRequestsPerConnection = Limit(written.MaxRequestsPerConnection),
            MaxConcurrentStreams = Limit(written.MaxConcurrentStreams),
            ConnectTimeout = written.ConnectTimeout ?? defaults.ConnectTimeout,
            IdleTimeout = Idle(written.HttpIdleTimeout ?? written.TcpIdleTimeout ?? defaults.IdleTimeout),
            TcpIdleTimeout = Idle(written.TcpIdleTimeout ?? defaults.TcpIdleTimeout),
            MaxConnectionDuration = written.MaxConnectionDuration,
            TcpKeepalive = written.TcpKeepalive ?? defaults.TcpKeepalive,
            Http2KeepAliveInterval = written.Http2KeepAliveInterval,
            Http2KeepAliveTimeout = written.Http2KeepAliveTimeout,
        };
    }

    /// <summary>Zero is never; so is what is longer than timers can count.</summary>
    private static TimeSpan Idle(TimeSpan written) => written == TimeSpan.Zero || written > LongestIdle ? LongestIdle : written;

    /// <summary>Zero is how the API's numbers say "not given".</summary>
    private static int Limit(int? value) => value is > 0 and var limit ? limit : int.MaxValue;
}

/// <summary>Outlier detection with its defaults (routing.md §4.5).</summary>
public sealed record OutlierPolicy
{
    /// <summary>5xx answers in a row that eject; 0 disables.</summary>
    public int Consecutive5xxErrors { get; init; } = 5;

    /// <summary>502, 503 and 504 in a row that eject; 0 disables.</summary>
    public int ConsecutiveGatewayErrors { get; init; }

    /// <summary>Connect failures in a row that eject, when <see cref="SplitExternalLocalOriginErrors"/>.</summary>
    public int ConsecutiveLocalOriginFailures { get; init; } = 5;

    /// <summary>Connect failures and timeouts do not count as 5xx.</summary>
    public bool SplitExternalLocalOriginErrors { get; init; }

    /// <summary>How often ejected endpoints are looked at.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Times the number of ejections: how long one lasts, 300 s at most.</summary>
    public TimeSpan BaseEjectionTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Share of the endpoints that may be ejected.</summary>
    public int MaxEjectionPercent { get; init; } = 10;

    /// <summary>Below this share of healthy endpoints all are used; 0 is never.</summary>
    public int MinHealthPercent { get; init; }

    /// <summary>Statuses that are failures, all others are not; empty: every 5xx is one.</summary>
    public ImmutableArray<int> HttpErrorCodes { get; init; } = [];

    internal static OutlierPolicy? From(OutlierDetection? written)
    {
        var defaults = new OutlierPolicy();
        return written is null ? null : new()
        {
            Consecutive5xxErrors = written.Consecutive5xxErrors ?? defaults.Consecutive5xxErrors,
            ConsecutiveGatewayErrors = written.ConsecutiveGatewayErrors ?? defaults.ConsecutiveGatewayErrors,
            ConsecutiveLocalOriginFailures = written.ConsecutiveLocalOriginFailures ?? defaults.ConsecutiveLocalOriginFailures,
            SplitExternalLocalOriginErrors = written.SplitExternalLocalOriginErrors,
            Interval = written.Interval ?? defaults.Interval,
            BaseEjectionTime = written.BaseEjectionTime ?? defaults.BaseEjectionTime,
            MaxEjectionPercent = written.MaxEjectionPercent ?? defaults.MaxEjectionPercent,
            MinHealthPercent = written.MinHealthPercent ?? defaults.MinHealthPercent,
            HttpErrorCodes = written.HttpErrorCodes,
        };
    }
}
