using System.Collections.Immutable;
using System.Net;
using Portcullis.Gateway.Jwks;
using Portcullis.Gateway.Limits;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway;

/// <summary>What the operator says at start; nothing here changes while the gateway runs.</summary>
public sealed record GatewayOptions
{
    /// <summary>Files and folders with resources; folders are watched.</summary>
    public required ImmutableArray<string> Paths { get; init; }

    /// <summary>File with Istio's MeshConfig; <see langword="null"/> is Istio's defaults.</summary>
    public string? MeshConfigFile { get; init; }

    /// <summary>Labels and namespaces of this gateway.</summary>
    public WorkloadIdentity Workload { get; init; } = new();

    /// <summary>Which port is really bound for a declared one.</summary>
    public PortMap Ports { get; init; } = PortMap.Default;

    /// <summary>Where <c>/healthz/ready</c> is served; <see langword="null"/> turns it off. Port 0 lets the system choose.</summary>
    public ControlEndpoint? Status { get; init; } = new(new IPEndPoint(IPAddress.Loopback, 15021), IsDefault: true);

    /// <summary>Where the admin API is served; <see langword="null"/> turns it off.</summary>
    public ControlEndpoint? Admin { get; init; } = new(new IPEndPoint(IPAddress.Loopback, 15000), IsDefault: true);

    /// <summary>Where Prometheus metrics are served; <see langword="null"/> turns it off.</summary>
    public ControlEndpoint? Stats { get; init; } = new(new IPEndPoint(IPAddress.Loopback, 15090), IsDefault: true);

    /// <summary>Folder in which fetched keys survive a restart; <see langword="null"/> keeps none.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>How remote key sets are fetched; <see langword="null"/> is the defaults with what the environment says.</summary>
    public JwksFetchOptions? KeyFetching { get; init; }

    /// <summary>
    /// Whether CUSTOM policies may name different providers; <see langword="null"/> is what the environment says
    /// (<see cref="ExternalAuthorization.CustomProviders.SeveralProvidersVariable"/>).
    /// </summary>
    public bool? AllowsSeveralAuthorizers { get; init; }

    /// <summary>Bound of the cache of verified tokens, in bytes; 0 verifies every token anew. Default 64 MiB.</summary>
    public long TokenCacheBytes { get; init; } = VerifiedTokenCache.DefaultCapacity;

    /// <summary>Refused, and as many allowed, decisions that are kept to be explained; 0 keeps none and names none to clients. Default 1000.</summary>
    public int DecisionCapacity { get; init; } = 1000;

    /// <summary>Reads a variable of the environment for tracing (<c>OTEL_*</c>, <c>envName</c>, custom tags).</summary>
    public Func<string, string?> TracingEnvironment { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>What clients may take.</summary>
    public GatewayLimits Limits { get; init; } = new();

    /// <summary>Other gateways of the same user may listen on the same ports, and take them over (<c>SO_REUSEPORT</c>).</summary>
    public bool SharesPorts { get; init; }

    /// <summary>What carries requests to backends over HTTP/1.1 in clear.</summary>
    public UpstreamClient Upstream { get; init; } = UpstreamClient.Lean;

    /// <summary>How long requests in flight may take to finish after a stop was asked for (Istio's <c>drainDuration</c>).</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(45);
}

/// <summary>What carries requests to backends over HTTP/1.1 in clear. TLS, HTTP/2 and upgraded connections are YARP's whatever is said here.</summary>
public enum UpstreamClient
{
    /// <summary>The gateway's own client: least cost, and strict.</summary>
    Lean,

    /// <summary>YARP's forwarder over .NET's HTTP client.</summary>
    Yarp,
}

/// <summary>A port beside the gateway's own.</summary>
/// <param name="EndPoint">Where to bind.</param>
/// <param name="IsDefault">Not asked for: when it cannot be bound, that is a logged problem and not the end of the start.</param>
public sealed record ControlEndpoint(IPEndPoint EndPoint, bool IsDefault);
