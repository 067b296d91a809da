using System.Collections.Immutable;

namespace Portcullis.Routing;

/// <summary>Where something runs; a part that is not known is empty.</summary>
/// <param name="Region">Region.</param>
/// <param name="Zone">Zone of the region.</param>
/// <param name="Subzone">Part of the zone.</param>
internal readonly record struct Locality(string Region, string Zone, string Subzone)
{
    public const string RegionLabel = "topology.kubernetes.io/region";
    public const string ZoneLabel = "topology.kubernetes.io/zone";
    public const string SubzoneLabel = "topology.istio.io/subzone";
    public const string NetworkLabel = "topology.istio.io/network";
    public const string HostLabel = "kubernetes.io/hostname";

    private const string Label = "topology.istio.io/locality";
    private const string OldLabel = "istio-locality";

    public static Locality Unknown { get; } = new("", "", "");

    /// <summary><c>region/zone/subzone</c>, as far as it goes; what comes after that is not looked at.</summary>
    public static Locality Parse(string? text)
    {
        var parts = (text ?? "").Split('/');
        return new(parts[0], parts.Length > 1 ? parts[1] : "", parts.Length > 2 ? parts[2] : "");
    }

    /// <summary>The locality that a label gives, where <c>.</c> stands for <c>/</c>, as labels cannot hold the one; <see langword="null"/> without one.</summary>
    public static string? LabelOf(ImmutableDictionary<string, string> labels) =>
        (labels.TryGetValue(Label, out var value) || labels.TryGetValue(OldLabel, out value)) && value.Length > 0
            ? value.Contains('/', StringComparison.Ordinal) ? value : value.Replace('.', '/')
            : null;

    /// <summary>The gateway's own, by its labels: the three of Kubernetes and Istio before the single one.</summary>
    public static Locality Own(ImmutableDictionary<string, string> labels)
    {
        var parts = new Locality(labels.GetValueOrDefault(RegionLabel, ""), labels.GetValueOrDefault(ZoneLabel, ""), labels.GetValueOrDefault(SubzoneLabel, ""));
        return parts == Unknown ? Parse(LabelOf(labels)) : parts;
    }

    /// <summary>Labels with those that tell the place: <c>failoverPriority</c> and subsets may name them.</summary>
    /// <param name="labels">Of the workload.</param>
    /// <param name="node">Name of its node, when known.</param>
    public ImmutableDictionary<string, string> AddTo(ImmutableDictionary<string, string> labels, string? node = null)
    {
        if (this == Unknown && string.IsNullOrEmpty(node))
        {
            return labels;
        }

        var all = labels.ToBuilder();
        Set(RegionLabel, Region);
        Set(ZoneLabel, Zone);
        Set(SubzoneLabel, Subzone);
        Set(HostLabel, node);
        return all.ToImmutable();

        void Set(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                all[name] = value;
            }
        }
    }

    /// <summary>Whether a rule's place covers this one.</summary>
    public bool IsWithin(string rule)
    {
        var wanted = Parse(rule);
        return (wanted.Region == "*" || wanted.Region == Region)
            && (wanted.Zone is "*" or "" || wanted.Zone == Zone)
            && (wanted.Subzone is "*" or "" || wanted.Subzone == Subzone);
    }

    /// <summary>How far another place is: 0 the same, 1 another subzone, 2 another zone, 3 another region.</summary>
    public int DistanceTo(Locality other) => Region != other.Region ? 3 : Zone != other.Zone ? 2 : Subzone != other.Subzone ? 1 : 0;

    public override string ToString() => Subzone.Length > 0 ? $"{Region}/{Zone}/{Subzone}" : Zone.Length > 0 ? $"{Region}/{Zone}" : Region;
}
