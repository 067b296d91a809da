using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Endpoints that are chosen among each other, by the cluster's load balancer. Immutable but for its turn.</summary>
/// <param name="endpoints">At least one.</param>
/// <param name="weights">Theirs.</param>
/// <param name="policy">The cluster's DestinationRule.</param>
/// <param name="state">Of the cluster.</param>
/// <param name="isAlone">The only pool of its cluster: takes its turns where the pool of the snapshot before left off.</param>
internal sealed class EndpointPool(UpstreamEndpoint[] endpoints, int[] weights, ClusterPolicy policy, UpstreamClusterState state, bool isAlone)
{
    /// <summary>Envoy's <c>host_selection_retry_max_attempts</c> as Istio sets it.</summary>
    private const int MaxRepicks = 5;

    private readonly int _totalWeight = weights.Sum();
    private readonly Lazy<HashTable>? _table = policy.LoadBalancer.Key is null ? null : new(() => policy.LoadBalancer.Kind == LoadBalancerKind.Maglev
        ? new MaglevHash(endpoints, weights, policy.LoadBalancer.HashTableSize)
        : new RingHash(endpoints, weights, policy.LoadBalancer.HashTableSize));

    private uint _turn;

    /// <summary>How many endpoints there are.</summary>
    public int Count => endpoints.Length;

    /// <summary>Endpoints in use now.</summary>
    public int CountHealthy(long now)
    {
        var healthy = 0;
        foreach (var endpoint in endpoints)
        {
            healthy += endpoint.Outlier.EjectedUntil > now ? 0 : 1;
        }

        return healthy;
    }

    public bool Contains(UpstreamEndpoint endpoint) => Array.IndexOf(endpoints, endpoint) >= 0;

    /// <summary>Chooses an endpoint, preferably none that was just tried; by the key where the cluster hashes.</summary>
    /// <param name="tried">Endpoints to avoid.</param>
    /// <param name="hash">Of the request's key; <see langword="null"/> when it has none.</param>
    /// <param name="hasEjections">Some endpoint is out of use, and is not to be chosen.</param>
    /// <param name="now">Timestamp.</param>
    /// <returns><see langword="null"/> when none is in use.</returns>
    public UpstreamEndpoint? Pick(ReadOnlySpan<UpstreamEndpoint> tried, ulong? hash, bool hasEjections, long now)
    {
        if (hash is { } key && _table is not null)
        {
            return ByKey(key, hasEjections, now);
        }

        var pick = Next(hasEjections, now);
        for (var again = 0; pick is not null && endpoints.Length > 1 && IsTried(tried, pick) && again < MaxRepicks; again++)
        {
            pick = Next(hasEjections, now);
        }

        return pick;
    }

    private static bool IsTried(ReadOnlySpan<UpstreamEndpoint> tried, UpstreamEndpoint endpoint)
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

    private uint NextTurn() => isAlone ? state.NextTurn() : Interlocked.Increment(ref _turn) - 1;

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
                return endpoints[Weighted((int)(NextTurn() % (uint)_totalWeight))];
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
            if (state.Elapsed(endpoint.FirstSeen, now) < warmup.Duration)
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
                return ByShare(NextTurn() * 0.6180339887498949 % 1 * total, hasEjections, now);
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

        return policy.LoadBalancer.Warmup is { } warmup ? weights[index] * Warmth(warmup, state.Elapsed(endpoint.FirstSeen, now)) : weights[index];
    }

    /// <summary>Envoy's slow start: the time that has passed, bent by the aggression, and never below the minimum.</summary>
    private static double Warmth(Warmup warmup, TimeSpan elapsed)
    {
        var passed = Math.Min(1, Math.Max(1, elapsed.TotalSeconds) / warmup.Duration.TotalSeconds);
        return Math.Max(warmup.MinimumPercent / 100, warmup.Aggression == 1 ? passed : Math.Pow(passed, 1 / warmup.Aggression));
    }
}
