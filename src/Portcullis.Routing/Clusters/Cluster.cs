using System.Collections.Immutable;
using System.Net;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>What is spoken to a backend (routing.md §3).</summary>
public enum UpstreamProtocol
{
    /// <summary>HTTP/1.1.</summary>
    Http1,

    /// <summary>HTTP/2; in clear by prior knowledge.</summary>
    Http2,

    /// <summary>What the client speaks (<c>useClientProtocol</c>).</summary>
    SameAsClient,
}

/// <summary>How a cluster's endpoints become addresses.</summary>
public enum ClusterResolution
{
    /// <summary>They are IP addresses.</summary>
    Static,

    /// <summary>They are names: every address that DNS gives is an endpoint.</summary>
    Dns,

    /// <summary>They are names: the first address that DNS gives is connected to (<c>DNS_ROUND_ROBIN</c>).</summary>
    DnsRoundRobin,
}

/// <summary>Identifies a cluster within a snapshot, and from one snapshot to the next.</summary>
/// <param name="Name"><c>outbound|port|subset|host</c>.</param>
/// <param name="Namespace">Of the service: two namespaces may define one host.</param>
public readonly record struct ClusterId(string Name, string Namespace);

/// <summary>The endpoints of one port (and subset) of a service, with how traffic is sent to them.</summary>
public sealed record Cluster
{
    /// <summary><c>outbound|port|subset|host</c>, as logs and metrics show it.</summary>
    public required string Name { get; init; }

    /// <summary>The service's host name.</summary>
    public required string Host { get; init; }

    /// <summary>Namespace of the Service or ServiceEntry.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name and namespace.</summary>
    public ClusterId Id => new(Name, Namespace);

    /// <summary>The Service or ServiceEntry.</summary>
    public required ResourceId Source { get; init; }

    /// <summary>Service port.</summary>
    public required int Port { get; init; }

    /// <summary>Subset; empty is the whole service.</summary>
    public string Subset { get; init; } = "";

    /// <summary>What is spoken.</summary>
    public UpstreamProtocol Protocol { get; init; }

    /// <summary>How endpoints become addresses.</summary>
    public ClusterResolution Resolution { get; init; }

    /// <summary>Usable endpoints; none: 503 <c>no healthy upstream</c>, <c>UH</c>.</summary>
    public ImmutableArray<ClusterEndpoint> Endpoints { get; init; } = [];

    /// <summary>Groups that <see cref="ClusterEndpoint.LocalityGroup"/> counts from 0; none: all endpoints are alike.</summary>
    public ImmutableArray<LocalityGroup> LocalityGroups { get; init; } = [];

    /// <summary>The effective DestinationRule.</summary>
    public ClusterPolicy Policy { get; init; } = ClusterPolicy.Default;

    /// <summary>Certificate names that the ServiceEntry accepts; used when <see cref="ClusterPolicy.Tls"/> names none.</summary>
    public ImmutableArray<string> SubjectAltNames { get; init; } = [];

    /// <summary>Envoy's name of a cluster.</summary>
    public static string NameOf(string host, int port, string? subset) => $"outbound|{port}|{subset}|{host}";
}

/// <summary>Endpoints that are chosen among each other.</summary>
/// <param name="Priority">From 0: traffic goes to the next only as far as endpoints before it fail.</param>
/// <param name="Weight">Share among the groups of one priority.</param>
public readonly record struct LocalityGroup(int Priority, int Weight);

/// <summary>One endpoint of a cluster.</summary>
public sealed record ClusterEndpoint
{
    /// <summary>IP address, or a DNS name when the cluster resolves names.</summary>
    public required string Address { get; init; }

    /// <summary>Port to connect to.</summary>
    public required int Port { get; init; }

    /// <summary>Load-balancing weight, 1 or more.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Labels of the Pod or WorkloadEntry, and those that tell where it is; empty when unknown.</summary>
    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary><c>region/zone/subzone</c>, as far as known.</summary>
    public string? Locality { get; init; }

    /// <summary>Its number among <see cref="Cluster.LocalityGroups"/>.</summary>
    public int LocalityGroup { get; init; }

    /// <summary>Name of the Pod, when known.</summary>
    public string? Workload { get; init; }

    /// <summary><see cref="Address"/> as an IP address; <see langword="null"/> for a name.</summary>
    public IPAddress? IPAddress { get; init; }
}
