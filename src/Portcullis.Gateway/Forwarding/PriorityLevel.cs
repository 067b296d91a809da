namespace Portcullis.Gateway.Forwarding;

/// <summary>Endpoints of one priority, in places that have their share.</summary>
/// <param name="pools">One a place, at least one.</param>
/// <param name="weights">Theirs.</param>
internal sealed class PriorityLevel(EndpointPool[] pools, int[] weights)
{
    /// <summary>How many endpoints there are.</summary>
    public int Count { get; } = pools.Sum(p => p.Count);

    /// <summary>Endpoints in use now.</summary>
    public int CountHealthy(long now)
    {
        var healthy = 0;
        foreach (var pool in pools)
        {
            healthy += pool.CountHealthy(now);
        }

        return healthy;
    }

    public bool Contains(UpstreamEndpoint endpoint)
    {
        foreach (var pool in pools)
        {
            if (pool.Contains(endpoint))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A place, by its weight; one that has lost endpoints weighs less once it cannot carry its share any more.</summary>
    /// <param name="hash">Of the request: its place is always the same then.</param>
    /// <param name="hasEjections">Endpoints out of use do not count.</param>
    /// <param name="now">Timestamp.</param>
    /// <returns><see langword="null"/> when no place has an endpoint in use.</returns>
    public EndpointPool? Choose(ulong? hash, bool hasEjections, long now)
    {
        if (pools.Length == 1)
        {
            return pools[0];
        }

        var total = 0.0;
        for (var i = 0; i < pools.Length; i++)
        {
            total += WeightOf(i, hasEjections, now);
        }

        // The hash is mixed again: its lower digits chose the priority.
        var ticket = total * (hash is { } key ? (StableHash.Mix(key) >> 11) * (1.0 / (1UL << 53)) : Random.Shared.NextDouble());
        EndpointPool? last = null;
        for (var i = 0; i < pools.Length; i++)
        {
            var weight = WeightOf(i, hasEjections, now);
            if (weight <= 0)
            {
                continue;
            }

            last = pools[i];
            ticket -= weight;
            if (ticket < 0)
            {
                break;
            }
        }

        return last;
    }

    private double WeightOf(int index, bool hasEjections, long now) =>
        hasEjections ? weights[index] * PriorityLoad.Health(pools[index].CountHealthy(now), pools[index].Count) / 100.0 : weights[index];
}
