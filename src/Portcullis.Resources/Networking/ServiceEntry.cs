using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>How the endpoints of a ServiceEntry are found.</summary>
public enum ServiceEntryResolution
{
    /// <summary>No endpoints known; on a gateway like <see cref="Static"/>.</summary>
    None,

    /// <summary>The listed addresses.</summary>
    Static,

    /// <summary>Every address that DNS gives.</summary>
    Dns,

    /// <summary>The first address that DNS gives.</summary>
    DnsRoundRobin,

    /// <summary>Wildcard DNS; not for an ingress.</summary>
    DynamicDns,
}

/// <summary>Istio's ServiceEntry (networking.istio.io/v1): a service that Kubernetes does not know.</summary>
public sealed record ServiceEntry : Resource
{
    /// <summary>Names that routes use.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>Virtual addresses; not used by a gateway.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary>Ports.</summary>
    public ImmutableArray<ServiceEntryPort> Ports { get; init; } = [];

    /// <summary><c>MESH_EXTERNAL</c> or <c>MESH_INTERNAL</c>.</summary>
    public string? Location { get; init; }

    /// <summary>How endpoints are found.</summary>
    public ServiceEntryResolution Resolution { get; init; }

    /// <summary>Inline endpoints.</summary>
    public ImmutableArray<WorkloadEntrySpec> Endpoints { get; init; } = [];

    /// <summary>Labels of WorkloadEntries to use.</summary>
    public ImmutableDictionary<string, string>? WorkloadSelector { get; init; }

    /// <summary>Namespaces that see it; empty is all.</summary>
    public ImmutableArray<string> ExportTo { get; init; } = [];

    /// <summary>Accepted names of the upstream certificate.</summary>
    public ImmutableArray<string> SubjectAltNames { get; init; } = [];
}

/// <summary>A port of a ServiceEntry.</summary>
/// <param name="Number">Port that routes name.</param>
/// <param name="Name">Name.</param>
/// <param name="Protocol">Protocol, upper-cased.</param>
/// <param name="TargetPort">Endpoint port, when it differs.</param>
public sealed record ServiceEntryPort(int Number, string Name, string Protocol, int? TargetPort);

/// <summary>Istio's WorkloadEntry (networking.istio.io/v1): one endpoint outside of Kubernetes.</summary>
public sealed record WorkloadEntry : Resource
{
    /// <summary>The endpoint.</summary>
    public required WorkloadEntrySpec Spec { get; init; }
}

/// <summary>An endpoint as ServiceEntry and WorkloadEntry write it.</summary>
public sealed record WorkloadEntrySpec
{
    /// <summary>Address, or DNS name under DNS resolution.</summary>
    public string? Address { get; init; }

    /// <summary>Port by service port name.</summary>
    public ImmutableDictionary<string, int> Ports { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>Labels, for subsets.</summary>
    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Network name; kept, not used.</summary>
    public string? Network { get; init; }

    /// <summary><c>region/zone/subzone</c>.</summary>
    public string? Locality { get; init; }

    /// <summary>Load balancing weight.</summary>
    public int? Weight { get; init; }

    /// <summary>Service account.</summary>
    public string? ServiceAccount { get; init; }
}
