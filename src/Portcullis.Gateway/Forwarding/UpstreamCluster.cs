using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>The endpoints of a cluster at run time, and the choice among them. Immutable but for the counters.</summary>
internal sealed class UpstreamCluster(UpstreamEndpoint[] endpoints, int[] weights, ClusterPolicy policy, UpstreamClusterState state)
{
    /// <summary>Envoy's <c>host_selection_retry_max_attempts</c> as Istio sets it.</summary>
    private const int MaxRepicks = 5;

    /// <summary>Weight of an endpoint that has just come, in shares of its own (Envoy's <c>min_weight_percent</c>).</summary>
    private const double LeastWarmth = 0.1;

    private readonly int _totalWeight = weights.Sum();
    private readonly Lazy<HashTable>? _table = endpoints.Length == 0 || policy.LoadBalancer.Key is null ? null : new(() => policy.LoadBalancer.Kind == LoadBalancerKind.Maglev
        ? new MaglevHash(endpoints, weights, policy.LoadBalancer.HashTableSize)
        : new RingHash(endpoints, weights, policy.LoadBalancer.HashTableSize));

    /// <summary>What is known of the cluster across snapshots.</summary>
    public UpstreamClusterState State => state;

    /// <summary>How connections are made.</summary>
    public ConnectionProfile Profile { get; init; } = ConnectionProfile.Default;

    /// <summary>The effective DestinationRule.</summary>
    public ClusterPolicy Policy => policy;

    /// <summary>Chooses an endpoint, preferably none that was just tried; by the key where the cluster hashes.</summary>
    /// <param name="tried">Endpoints to avoid.</param>
    /// <param name="hash">Of the request's key; <see langword="null"/> when it has none.</param>
    /// <returns><see langword="null"/> when there is none, or none that is in use.</returns>
    public UpstreamEndpoint? Pick(ReadOnlySpan<UpstreamEndpoint> tried = default, ulong? hash = null)
    {
        if (endpoints.Length == 0)
        {
            return null;
        }

        var now = policy.OutlierDetection is null && policy.LoadBalancer.Warmup is null ? 0 : state.Outliers.Now;
        var hasEjections = policy.OutlierDetection is not null && state.Outliers.HasEjections(now) && !IsPanicking(now);
        if (hash is { } key && _table is not null)
        {
            return ByKey(key, hasEjections, now);
        }

        var pick = Next(hasEjections, now);
        for (var again = 0; pick is not null && endpoints.Length > 1 && Contains(tried, pick) && again < MaxRepicks; again++)
        {
            pick = Next(hasEjections, now);
        }

        return pick;
    }

    /// <summary>Takes note of how a try went.</summary>
    public void Report(UpstreamEndpoint endpoint, OutlierSignal signal)
    {
        if (policy.OutlierDetection is { } outliers)
        {
            state.Outliers.Report(outliers, endpoint, endpoints, signal);
        }
    }

    private static bool Contains(ReadOnlySpan<UpstreamEndpoint> tried, UpstreamEndpoint endpoint)
    {
        foreach (var one in tried)
        {
            if (ReferenceEquals(one, endpoint))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Too few endpoints are in use to carry the traffic: all are used then.</summary>
    private bool IsPanicking(long now)
    {
        var least = policy.OutlierDetection!.MinHealthPercent;
        if (least <= 0)
        {
            return false;
        }

        var healthy = 0;
        foreach (var endpoint in endpoints)
        {
            healthy += endpoint.Outlier.EjectedUntil > now ? 0 : 1;
        }

        return healthy * 100L < least * (long)endpoints.Length;
    }

    private UpstreamEndpoint? ByKey(ulong hash, bool hasEjections, long now)
    {
        var table = _table!.Value;
        for (var attempt = 0; attempt < table.MaxAttempts; attempt++)
        {
            var endpoint = endpoints[table.Find(hash, attempt)];
            if (!hasEjections || endpoint.Outlier.EjectedUntil <= now)
            {
                return endpoint;
            }
        }

        return Next(hasEjections, now);
    }

    private UpstreamEndpoint? Next(bool hasEjections, long now) =>
        hasEjections || IsWarming(now) ? NextByShare(hasEjections, now) : NextOfAll();

    private UpstreamEndpoint NextOfAll()
    {
        if (endpoints.Length == 1)
        {
            return endpoints[0];
        }

        switch (policy.LoadBalancer.Kind)
        {
            case LoadBalancerKind.RoundRobin:
                return endpoints[Weighted((int)(state.NextTurn() % (uint)_totalWeight))];
            case LoadBalancerKind.LeastRequest:
                // The less busy of two different ones; weights make an endpoint likelier to be looked at.
                var first = Weighted(Random.Shared.Next(_totalWeight));
                var second = Weighted(Random.Shared.Next(_totalWeight));
                if (second == first)
                {
                    second = (first + 1) % endpoints.Length;
                }

                return endpoints[first].Active <= endpoints[second].Active ? endpoints[first] : endpoints[second];
            default:
                // A request without the key to hash goes anywhere.
                return endpoints[Weighted(Random.Shared.Next(_totalWeight))];
        }
    }

    private int Weighted(int ticket)
    {
        if (_totalWeight == endpoints.Length)
        {
            return ticket;
        }

        for (var i = 0; ; i++)
        {
            ticket -= weights[i];
            if (ticket < 0)
            {
                return i;
            }
        }
    }

    private bool IsWarming(long now)
    {
        if (policy.LoadBalancer.Warmup is not { } warmup)
        {
            return false;
        }

        foreach (var endpoint in endpoints)
        {
            if (state.Elapsed(endpoint.FirstSeen, now) < warmup)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The slower way while some endpoint is out of use or starts slowly: shares are worked out for every pick.</summary>
    private UpstreamEndpoint? NextByShare(bool hasEjections, long now)
    {
        var total = 0.0;
        for (var i = 0; i < endpoints.Length; i++)
        {
            total += Share(i, hasEjections, now);
        }

        if (total <= 0)
        {
            return null;
        }

        switch (policy.LoadBalancer.Kind)
        {
            case LoadBalancerKind.RoundRobin:
                // Multiples of the golden ratio visit every share as evenly as turns do.
                return ByShare(state.NextTurn() * 0.6180339887498949 % 1 * total, hasEjections, now);
            case LoadBalancerKind.LeastRequest:
                var first = ByShare(Random.Shared.NextDouble() * total, hasEjections, now);
                var second = ByShare(Random.Shared.NextDouble() * total, hasEjections, now);
                return first.Active <= second.Active ? first : second;
            default:
                return ByShare(Random.Shared.NextDouble() * total, hasEjections, now);
        }
    }

    private UpstreamEndpoint ByShare(double ticket, bool hasEjections, long now)
    {
        var last = endpoints[0];
        for (var i = 0; i < endpoints.Length; i++)
        {
            var share = Share(i, hasEjections, now);
            if (share <= 0)
            {
                continue;
            }

            last = endpoints[i];
            ticket -= share;
            if (ticket < 0)
            {
                break;
            }
        }

        return last;
    }

    private double Share(int index, bool hasEjections, long now)
    {
        var endpoint = endpoints[index];
        if (hasEjections && endpoint.Outlier.EjectedUntil > now)
        {
            return 0;
        }

        return policy.LoadBalancer.Warmup is { } warmup
            ? weights[index] * Math.Clamp(state.Elapsed(endpoint.FirstSeen, now) / warmup, LeastWarmth, 1)
            : weights[index];
    }
}
