using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>The endpoints of a cluster at run time, and the choice among them. Immutable but for the counters.</summary>
internal sealed class UpstreamCluster(UpstreamEndpoint[] endpoints, int[] weights, LoadBalancerKind balancer)
{
    /// <summary>Envoy's <c>host_selection_retry_max_attempts</c> as Istio sets it.</summary>
    private const int MaxRepicks = 5;

    private readonly int _totalWeight = weights.Sum();
    private uint _turn;

    /// <summary>Chooses an endpoint, preferably not the one just tried.</summary>
    /// <returns><see langword="null"/> when there is none.</returns>
    public UpstreamEndpoint? Pick(UpstreamEndpoint? previous)
    {
        if (endpoints.Length <= 1)
        {
            return endpoints.Length == 0 ? null : endpoints[0];
        }

        var pick = Next();
        for (var again = 0; ReferenceEquals(pick, previous) && again < MaxRepicks; again++)
        {
            pick = Next();
        }

        return pick;
    }

    private UpstreamEndpoint Next()
    {
        switch (balancer)
        {
            case LoadBalancerKind.RoundRobin:
                return endpoints[Weighted((int)((Interlocked.Increment(ref _turn) - 1) % (uint)_totalWeight))];
            case LoadBalancerKind.Random:
                return endpoints[Weighted(Random.Shared.Next(_totalWeight))];
            default:
                // The less busy of two different ones; weights make an endpoint likelier to be looked at.
                var first = Weighted(Random.Shared.Next(_totalWeight));
                var second = Weighted(Random.Shared.Next(_totalWeight));
                if (second == first)
                {
                    second = (first + 1) % endpoints.Length;
                }

                return endpoints[first].Active <= endpoints[second].Active ? endpoints[first] : endpoints[second];
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
}
