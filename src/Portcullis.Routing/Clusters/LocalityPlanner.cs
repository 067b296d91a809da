using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Endpoints with the group that each belongs to.</summary>
/// <param name="Endpoints">Those that get traffic.</param>
/// <param name="Groups">The groups by number; none: all endpoints are one.</param>
internal readonly record struct LocalityPlan(ImmutableArray<ClusterEndpoint> Endpoints, ImmutableArray<LocalityGroup> Groups);

/// <summary>
/// Parts a cluster's endpoints by where they are, seen from the gateway, as istiod does: shares (<c>distribute</c>), or priorities that Envoy falls
/// back to when those before have too few healthy endpoints.
/// </summary>
internal sealed class LocalityPlanner
{
    private const string DistributionAnnotation = "networking.istio.io/traffic-distribution";

    private static readonly LocalityLoadBalancing SameZone = new() { FailoverPriority = [Locality.NetworkLabel, Locality.RegionLabel, Locality.ZoneLabel] };

    private static readonly LocalityLoadBalancing SameNode = new()
    {
        FailoverPriority = [Locality.NetworkLabel, Locality.RegionLabel, Locality.ZoneLabel, Locality.SubzoneLabel, Locality.HostLabel],
    };

    private readonly LocalityLoadBalancing _mesh;
    private readonly ImmutableDictionary<string, string> _labels;

    public LocalityPlanner(WorkloadIdentity workload, MeshConfig mesh)
    {
        _mesh = mesh.Locality;
        Own = Locality.Own(workload.Labels);
        _labels = Own.AddTo(workload.Labels);
    }

    /// <summary>Where the gateway is.</summary>
    public Locality Own { get; }

    /// <param name="endpoints">Of the cluster.</param>
    /// <param name="policy">The cluster's DestinationRule.</param>
    /// <param name="owner">The Service or ServiceEntry, which may have a wish of its own.</param>
    public LocalityPlan Plan(ImmutableArray<ClusterEndpoint> endpoints, TrafficPolicy? policy, Resource owner)
    {
        var written = policy?.LoadBalancer?.Locality;
        var wish = written is null ? WishOf(owner) : null;
        var setting = written ?? wish ?? _mesh;
        if (setting.Enabled == false || endpoints.Length < 2)
        {
            return new(endpoints, []);
        }

        var fails = wish is not null || policy?.OutlierDetection is not null;
        if (setting.IsZoneAware)
        {
            return ByPriority(endpoints, setting, RegionDistance, weighs: false);
        }

        return !setting.Distribute.IsEmpty ? ByShare(endpoints, setting.Distribute)
            : !fails ? new(endpoints, [])
            : ByPriority(
                endpoints, setting, setting.FailoverPriority.IsEmpty || !setting.Failover.IsEmpty ? Distance : null,
                weighs: !setting.Failover.IsEmpty || !setting.FailoverPriority.IsEmpty);
    }

    /// <summary><c>trafficDistribution</c>, or the annotation of before.</summary>
    private static LocalityLoadBalancing? WishOf(Resource owner)
    {
        var wish = (owner as Service)?.TrafficDistribution ?? owner.Metadata.Annotations.GetValueOrDefault(DistributionAnnotation);
        return wish?.ToLowerInvariant() switch
        {
            "preferclose" or "prefersamezone" => SameZone,
            "prefersamenode" => SameNode,
            _ => null,
        };
    }

    private LocalityPlan ByShare(ImmutableArray<ClusterEndpoint> endpoints, ImmutableArray<LocalityDistribution> distributions)
    {
        foreach (var distribution in distributions)
        {
            if (Own.IsWithin(distribution.From))
            {
                return ByShare(endpoints, distribution.To);
            }
        }

        return new(endpoints, []);
    }

    /// <summary>Places that no share names get nothing; places that share one have it by their endpoints' weights.</summary>
    private static LocalityPlan ByShare(ImmutableArray<ClusterEndpoint> endpoints, ImmutableArray<LocalityShare> shares)
    {
        var places = endpoints.GroupBy(e => Locality.Parse(e.Locality)).ToList();
        var kept = ImmutableArray.CreateBuilder<ClusterEndpoint>();
        var groups = ImmutableArray.CreateBuilder<LocalityGroup>();
        foreach (var share in shares)
        {
            var found = places.Where(p => p.Key.IsWithin(share.To)).ToList();
            places.RemoveAll(found.Contains);
            var total = found.Sum(WeightOf);
            foreach (var place in found)
            {
                kept.AddRange(place.Select(e => e with { LocalityGroup = groups.Count }));
                groups.Add(new(0, (int)Math.Ceiling((double)WeightOf(place) * share.Weight / total)));
            }
        }

        return new(kept.ToImmutable(), groups.ToImmutable());
    }

    /// <param name="endpoints">All of them.</param>
    /// <param name="setting">With its labels and regions.</param>
    /// <param name="distance">How far a place is, 4 at most; <see langword="null"/> where only labels count.</param>
    /// <param name="weighs">Places of one priority are chosen by their weight, then an endpoint of it.</param>
    private LocalityPlan ByPriority(
        ImmutableArray<ClusterEndpoint> endpoints, LocalityLoadBalancing setting, Func<Locality, ImmutableArray<RegionFailover>, int>? distance, bool weighs)
    {
        var keys = endpoints.Select(e =>
        {
            var place = Locality.Parse(e.Locality);
            return (Level: (Likeness(setting.FailoverPriority, e), distance?.Invoke(place, setting.Failover) ?? 0), Place: weighs ? place : Locality.Unknown);
        }).ToList();
        var levels = keys.Select(k => k.Level).Distinct().Order().ToList();
        var groups = keys.Distinct().OrderBy(k => k.Level).ToList();
        if (groups.Count < 2)
        {
            return new(endpoints, []);
        }

        var kept = endpoints.Select((e, i) => e with { LocalityGroup = groups.IndexOf(keys[i]) }).ToImmutableArray();
        return new(kept, [.. groups.Select((g, i) => new LocalityGroup(levels.IndexOf(g.Level), (int)Math.Min(int.MaxValue, WeightOf(kept.Where(e => e.LocalityGroup == i)))))]);
    }

    /// <summary>Endpoints of the gateway's own subzone, zone, region, then the others: first those of the region that takes over.</summary>
    private int Distance(Locality place, ImmutableArray<RegionFailover> failover)
    {
        var distance = Own.DistanceTo(place);
        return distance == 3 && TakesOver(failover) is { } region && place.Region != region ? 4 : distance;
    }

    private int RegionDistance(Locality place, ImmutableArray<RegionFailover> failover) =>
        place.Region == Own.Region ? 0 : TakesOver(failover) is { } region && place.Region == region ? 1 : 2;

    private string? TakesOver(ImmutableArray<RegionFailover> failover)
    {
        foreach (var rule in failover)
        {
            if (rule.From == Own.Region)
            {
                return rule.To;
            }
        }

        return null;
    }

    /// <summary>0 when every label is alike; else how many, from the first that differs, are left. Another network comes after all that.</summary>
    private int Likeness(ImmutableArray<string> labels, ClusterEndpoint endpoint)
    {
        var ofNetwork = 0;
        for (var i = 0; i < labels.Length && !_labels.IsEmpty; i++)
        {
            var parts = labels[i].Split('=');
            var wanted = parts.Length == 2 ? parts[1] : _labels.GetValueOrDefault(parts[0], "");
            if (wanted == endpoint.Labels.GetValueOrDefault(parts[0], ""))
            {
                continue;
            }

            if (i == 0 && labels[0] == Locality.NetworkLabel)
            {
                ofNetwork = labels.Length;
                continue;
            }

            return labels.Length - i + ofNetwork;
        }

        return ofNetwork;
    }

    private static long WeightOf(IEnumerable<ClusterEndpoint> endpoints) => endpoints.Sum(e => (long)e.Weight);
}
