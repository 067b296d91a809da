using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>How endpoints of other places are used: <c>localityLbSetting</c>, or <c>zoneAwareLbSetting</c>.</summary>
public sealed record LocalityLoadBalancing
{
    /// <summary>Written as <c>zoneAwareLbSetting</c>: endpoints are parted by region only.</summary>
    public bool IsZoneAware { get; init; }

    /// <summary><see langword="null"/> is on.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Shares of the traffic by where it comes from; not of a zone-aware setting.</summary>
    public ImmutableArray<LocalityDistribution> Distribute { get; init; } = [];

    /// <summary>Regions that take over.</summary>
    public ImmutableArray<RegionFailover> Failover { get; init; } = [];

    /// <summary>Labels, as <c>key</c> or <c>key=value</c>, whose likeness puts an endpoint first.</summary>
    public ImmutableArray<string> FailoverPriority { get; init; } = [];
}

/// <summary>Shares for traffic of one place.</summary>
/// <param name="From"><c>region/zone/subzone</c>, ending in <c>*</c> perhaps.</param>
/// <param name="To">Places like it with their share of 100; endpoints of all others get nothing.</param>
public sealed record LocalityDistribution(string From, ImmutableArray<LocalityShare> To);

/// <summary>A share of the traffic.</summary>
/// <param name="To"><c>region/zone/subzone</c>, ending in <c>*</c> perhaps.</param>
/// <param name="Weight">1 to 100.</param>
public readonly record struct LocalityShare(string To, int Weight);

/// <summary>A region that takes over from another.</summary>
/// <param name="From">Region of the gateway.</param>
/// <param name="To">Region that comes next.</param>
public sealed record RegionFailover(string From, string To);
