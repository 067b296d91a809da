using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>The endpoints of a cluster at run time, and the choice among them. Immutable but for the counters.</summary>
internal sealed class UpstreamCluster
{
    private readonly UpstreamEndpoint[] _endpoints;
    private readonly EndpointPool? _only;
    private readonly PriorityLevel[] _levels;

    /// <summary>Endpoints that are all alike.</summary>
    public UpstreamCluster(UpstreamEndpoint[] endpoints, int[] weights, ClusterPolicy policy, UpstreamClusterState state)
    {
        (_endpoints, Policy, State, _levels) = (endpoints, policy, state, []);
        _only = endpoints.Length == 0 ? null : new EndpointPool(endpoints, weights, policy, state, isAlone: true);
    }

    /// <summary>Endpoints in priorities, and in places that have their share.</summary>
    /// <param name="endpoints">All of them.</param>
    /// <param name="levels">The first has the most priority; none is empty.</param>
    /// <param name="policy">The effective DestinationRule.</param>
    /// <param name="state">What is known across snapshots.</param>
    public UpstreamCluster(UpstreamEndpoint[] endpoints, PriorityLevel[] levels, ClusterPolicy policy, UpstreamClusterState state) =>
        (_endpoints, _levels, Policy, State) = (endpoints, levels, policy, state);

    /// <summary>What is known of the cluster across snapshots.</summary>
    public UpstreamClusterState State { get; }

    /// <summary>How connections are made.</summary>
    public ConnectionProfile Profile { get; init; } = ConnectionProfile.Default;

    /// <summary>The effective DestinationRule.</summary>
    public ClusterPolicy Policy { get; }

    /// <summary>Chooses an endpoint, preferably none that was just tried; by the key where the cluster hashes.</summary>
    /// <param name="tried">Endpoints to avoid.</param>
    /// <param name="hash">Of the request's key; <see langword="null"/> when it has none.</param>
    /// <param name="left">Endpoints whose priorities are left alone, as long as others can serve (<c>retryRemoteLocalities</c>).</param>
    /// <returns><see langword="null"/> when there is none, or none that is in use.</returns>
    public UpstreamEndpoint? Pick(ReadOnlySpan<UpstreamEndpoint> tried = default, ulong? hash = null, ReadOnlySpan<UpstreamEndpoint> left = default)
    {
        var now = Policy.OutlierDetection is null && Policy.LoadBalancer.Warmup is null ? 0 : State.Outliers.Now;
        var hasEjections = Policy.OutlierDetection is not null && State.Outliers.HasEjections(now);
        if (_only is { } only)
        {
            return only.Pick(tried, hash, hasEjections && !IsPanicking(only.CountHealthy(now), only.Count), now);
        }

        if (_levels.Length == 0)
        {
            return null;
        }

        Span<int> health = stackalloc int[Math.Min(_levels.Length, PriorityLoad.MaxLevels)];
        for (var i = 0; i < health.Length; i++)
        {
            health[i] = PriorityLoad.Health(hasEjections ? _levels[i].CountHealthy(now) : _levels[i].Count, _levels[i].Count);
        }

        var total = PriorityLoad.Total(health);
        if (!left.IsEmpty)
        {
            Leave(left, health);
        }

        var ticket = (uint)((hash ?? (ulong)Random.Shared.NextInt64()) % 100);
        var level = _levels[PriorityLoad.Choose(health, (int)ticket)];
        var spares = hasEjections && !(total < 100 && IsPanicking(level.CountHealthy(now), level.Count));
        return level.Choose(hash, spares, now)?.Pick(tried, hash, spares, now);
    }

    /// <summary>Takes note of how a try went.</summary>
    public void Report(UpstreamEndpoint endpoint, OutlierSignal signal)
    {
        if (Policy.OutlierDetection is { } outliers)
        {
            State.Outliers.Report(outliers, endpoint, _endpoints, signal);
        }
    }

    /// <summary>Takes their priorities out of the choice, unless nothing would be left.</summary>
    private void Leave(ReadOnlySpan<UpstreamEndpoint> left, Span<int> health)
    {
        Span<int> rest = stackalloc int[health.Length];
        health.CopyTo(rest);
        foreach (var endpoint in left)
        {
            for (var i = 0; i < rest.Length; i++)
            {
                rest[i] = _levels[i].Contains(endpoint) ? 0 : rest[i];
            }
        }

        if (PriorityLoad.Total(rest) > 0)
        {
            rest.CopyTo(health);
        }
    }

    /// <summary>Too few endpoints are in use to carry the traffic: all are used then. As long as those in use are enough, with Envoy's reserve, they are not.</summary>
    private bool IsPanicking(int healthy, int count)
    {
        var least = Policy.OutlierDetection!.MinHealthPercent;
        return least > 0 && PriorityLoad.Health(healthy, count) < 100 && healthy * 100L < least * (long)count;
    }
}
