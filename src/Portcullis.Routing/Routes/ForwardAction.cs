using System.Collections.Immutable;

namespace Portcullis.Routing;

/// <summary>Forwards to one of several clusters (<c>route</c>).</summary>
public sealed class ForwardAction
{
    private readonly WeightedChoice _choice;

    internal ForwardAction(ImmutableArray<WeightedDestination> destinations)
    {
        Destinations = destinations;
        _choice = WeightedChoice.Of(destinations, d => d.Weight);
    }

    /// <summary>At least one; destinations of weight 0 are gone.</summary>
    public ImmutableArray<WeightedDestination> Destinations { get; }

    /// <summary>Changes the path; <see langword="null"/> leaves it.</summary>
    public PathRewrite? PathRewrite { get; init; }

    /// <summary><c>timeout</c>, retries included; <see langword="null"/> is none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Never <see langword="null"/>; <see cref="RetryPolicy.Attempts"/> 0 is off.</summary>
    public RetryPolicy Retry { get; init; } = RetryPolicy.Default;

    /// <summary>Faults to inject.</summary>
    public FaultPolicy? Fault { get; init; }

    /// <summary>Clusters that get copies.</summary>
    public ImmutableArray<MirrorDestination> Mirrors { get; init; } = [];

    /// <summary>CORS policy; runs after authorization (routing.md §2.13).</summary>
    public CompiledCorsPolicy? Cors { get; init; }

    /// <summary>Chooses by weight and at random.</summary>
    public WeightedDestination Pick() => Pick(WeightedChoice.Draw());

    /// <summary>Chooses by weight.</summary>
    /// <param name="random">Uniform over all 32 bits.</param>
    public WeightedDestination Pick(uint random) => Destinations[_choice.Index(random)];
}

/// <summary>A destination with its share and its header operations.</summary>
public sealed class WeightedDestination
{
    /// <summary><see langword="null"/>: host, port or subset unknown: 503, empty body, <c>NC</c>, <c>cluster_not_found</c>.</summary>
    public Cluster? Cluster { get; init; }

    /// <summary><c>outbound|port|subset|host</c>, known or not.</summary>
    public required string ClusterName { get; init; }

    /// <summary>Relative share, above 0.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Replaces the Host header; <see langword="null"/> passes the client's on, port included.</summary>
    public string? Authority { get; init; }

    /// <summary>The route's and the destination's request operations, in the order of §2.14.</summary>
    public HeaderMutations RequestHeaders { get; init; } = HeaderMutations.None;

    /// <summary>The same for the response.</summary>
    public HeaderMutations ResponseHeaders { get; init; } = HeaderMutations.None;
}

/// <summary>A cluster that gets a copy of a share of the requests (<c>mirrors</c>); its answers are thrown away.</summary>
/// <param name="Cluster"><see langword="null"/> when unknown: nothing is sent.</param>
/// <param name="ClusterName"><c>outbound|port|subset|host</c>.</param>
/// <param name="Percentage">0–100.</param>
public sealed record MirrorDestination(Cluster? Cluster, string ClusterName, double Percentage);
