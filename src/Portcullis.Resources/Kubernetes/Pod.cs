using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>A Kubernetes Pod: gives EndpointSlice endpoints their labels, for subsets.</summary>
public sealed record Pod : Resource
{
    /// <summary><c>status.podIPs</c>, or the single <c>status.podIP</c>.</summary>
    public ImmutableArray<string> PodIPs { get; init; } = [];
}
