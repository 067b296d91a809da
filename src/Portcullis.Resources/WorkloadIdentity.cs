using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>What this gateway is to the resources that select workloads: its labels and its namespace.</summary>
public sealed record WorkloadIdentity
{
    /// <summary>Labels that selectors are held against; by default <c>istio: ingressgateway</c>.</summary>
    public ImmutableDictionary<string, string> Labels { get; init; } =
        ImmutableDictionary<string, string>.Empty.Add("istio", "ingressgateway");

    /// <summary>The namespace that the gateway runs in.</summary>
    public string Namespace { get; init; } = "istio-system";

    /// <summary>The namespace whose policies reach every workload of the mesh.</summary>
    public string RootNamespace { get; init; } = "istio-system";

    /// <summary>The trust domain's DNS suffix of Kubernetes services.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";
}
