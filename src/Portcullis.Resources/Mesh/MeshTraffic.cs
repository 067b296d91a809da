using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>What the mesh says of traffic to backends where no VirtualService, DestinationRule or Service says otherwise.</summary>
public sealed record MeshTraffic
{
    /// <summary>Istio's defaults.</summary>
    public static MeshTraffic Default { get; } = new();

    /// <summary><c>defaultHttpRetryPolicy</c>; <see langword="null"/> is Istio's.</summary>
    public HttpRetry? Retries { get; init; }

    /// <summary><c>defaultTrafficPolicy.connectionPool</c>: counts where a DestinationRule has no such block.</summary>
    public ConnectionPoolSettings? ConnectionPool { get; init; }

    /// <summary><c>defaultTrafficPolicy.outlierDetection</c>, likewise.</summary>
    public OutlierDetection? OutlierDetection { get; init; }

    /// <summary><c>connectTimeout</c>; <see langword="null"/> is 10 s.</summary>
    public TimeSpan? ConnectTimeout { get; init; }

    /// <summary><c>tcpKeepalive</c>; <see langword="null"/> is off.</summary>
    public TcpKeepalive? TcpKeepalive { get; init; }

    /// <summary><c>h2UpgradePolicy: UPGRADE</c>: HTTP/2 to ports that are known to speak HTTP.</summary>
    public bool UpgradesToHttp2 { get; init; }

    /// <summary><c>defaultServiceExportTo</c>; empty is everywhere.</summary>
    public ImmutableArray<string> ServiceExportTo { get; init; } = [];

    /// <summary><c>defaultVirtualServiceExportTo</c>; empty is everywhere.</summary>
    public ImmutableArray<string> VirtualServiceExportTo { get; init; } = [];

    /// <summary><c>defaultDestinationRuleExportTo</c>; empty is everywhere.</summary>
    public ImmutableArray<string> DestinationRuleExportTo { get; init; } = [];
}
