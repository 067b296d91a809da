using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>A Kubernetes Service.</summary>
public sealed record Service : Resource
{
    /// <summary><c>ClusterIP</c>, <c>NodePort</c>, <c>LoadBalancer</c> or <c>ExternalName</c>.</summary>
    public string Type { get; init; } = "ClusterIP";

    /// <summary>Ports.</summary>
    public ImmutableArray<ServicePort> Ports { get; init; } = [];

    /// <summary>Pod labels.</summary>
    public ImmutableDictionary<string, string> Selector { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Target of an ExternalName Service.</summary>
    public string? ExternalName { get; init; }

    /// <summary><c>None</c> for a headless Service.</summary>
    public string? ClusterIP { get; init; }

    /// <summary>Endpoints that are not ready are used too.</summary>
    public bool PublishNotReadyAddresses { get; init; }

    /// <summary><c>PreferClose</c>, <c>PreferSameZone</c> or <c>PreferSameNode</c>.</summary>
    public string? TrafficDistribution { get; init; }
}

/// <summary>A port of a Service.</summary>
public sealed record ServicePort
{
    /// <summary>Port number that routes name.</summary>
    public required int Port { get; init; }

    /// <summary>Name; its prefix up to the first dash tells the protocol.</summary>
    public string? Name { get; init; }

    /// <summary>Number or name of the container port.</summary>
    public string? TargetPort { get; init; }

    /// <summary><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</summary>
    public string Protocol { get; init; } = "TCP";

    /// <summary>Application protocol; goes before the name's prefix.</summary>
    public string? AppProtocol { get; init; }
}

/// <summary>A Kubernetes Endpoints object (the older form of EndpointSlice).</summary>
public sealed record Endpoints : Resource
{
    /// <summary>Addresses with their ports.</summary>
    public ImmutableArray<EndpointSubset> Subsets { get; init; } = [];
}

/// <summary>Addresses that share their ports.</summary>
public sealed record EndpointSubset
{
    /// <summary>Ready addresses.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary>Addresses that are not ready.</summary>
    public ImmutableArray<string> NotReadyAddresses { get; init; } = [];

    /// <summary>Ports.</summary>
    public ImmutableArray<EndpointPort> Ports { get; init; } = [];
}

/// <summary>A port of endpoints.</summary>
/// <param name="Name">The Service port's name; <see langword="null"/> or empty when it has none.</param>
/// <param name="Port">Port to connect to; <see langword="null"/> in an EndpointSlice means all ports.</param>
/// <param name="Protocol">TCP, UDP or SCTP.</param>
/// <param name="AppProtocol">Application protocol.</param>
public sealed record EndpointPort(string? Name, int? Port, string Protocol, string? AppProtocol);

/// <summary>A Kubernetes EndpointSlice (discovery.k8s.io/v1).</summary>
public sealed record EndpointSlice : Resource
{
    /// <summary>Label that names the Service.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary><c>IPv4</c>, <c>IPv6</c> or <c>FQDN</c>.</summary>
    public string AddressType { get; init; } = "IPv4";

    /// <summary>Endpoints.</summary>
    public ImmutableArray<SliceEndpoint> Endpoints { get; init; } = [];

    /// <summary>Ports.</summary>
    public ImmutableArray<EndpointPort> Ports { get; init; } = [];

    /// <summary>The Service it belongs to, by its label; <see langword="null"/> when the label is missing.</summary>
    public string? ServiceName => Metadata.Labels.GetValueOrDefault(ServiceNameLabel);
}

/// <summary>One endpoint of a slice.</summary>
public sealed record SliceEndpoint
{
    /// <summary>Addresses; all reach the same endpoint.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary><c>conditions.ready</c>; <see langword="null"/> counts as ready.</summary>
    public bool? Ready { get; init; }

    /// <summary><c>conditions.serving</c>.</summary>
    public bool? Serving { get; init; }

    /// <summary><c>conditions.terminating</c>.</summary>
    public bool? Terminating { get; init; }

    /// <summary>Zone.</summary>
    public string? Zone { get; init; }

    /// <summary>Region; only older slices tell.</summary>
    public string? Region { get; init; }

    /// <summary>Node.</summary>
    public string? NodeName { get; init; }

    /// <summary>Name of the Pod behind it (<c>targetRef</c>), when there is one.</summary>
    public string? TargetName { get; init; }
}
