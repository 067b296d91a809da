using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>localityLbSetting</c> and <c>zoneAwareLbSetting</c>, of a DestinationRule and of the mesh.</summary>
internal static class LocalityReader
{
    private static readonly string[] TopologyLabels = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"];

    /// <param name="owner">Has the two fields.</param>
    /// <returns>The one that counts: zone-aware before the other.</returns>
    public static LocalityLoadBalancing? Read(ObjectReader owner)
    {
        var locality = owner.Object("localityLbSetting", static r => Check(r, ReadSetting(r, isZoneAware: false)));
        return owner.Object("zoneAwareLbSetting", static r => Check(r, ReadSetting(r, isZoneAware: true))) ?? locality;
    }

    private static LocalityLoadBalancing ReadSetting(ObjectReader reader, bool isZoneAware)
    {
        if (isZoneAware)
        {
            reader.Integer("minClusterSize", 1, int.MaxValue);
        }

        return new()
        {
            IsZoneAware = isZoneAware,
            Enabled = reader.Boolean("enabled"),
            Distribute = isZoneAware ? [] : reader.List("distribute", static (r, _) => ReadDistribution(r)),
            Failover = reader.List("failover", static (r, _) => ReadFailover(r)),
            FailoverPriority = reader.Texts("failoverPriority"),
        };
    }

    private static LocalityDistribution ReadDistribution(ObjectReader reader)
    {
        var from = reader.Text("from") ?? "";
        var to = reader.IntegerMap("to", 1, 100);
        var total = to.Sum(t => t.Value);
        if (total != 100)
        {
            reader.At("to").Error($"total locality weight {total} != 100", "let the weights add up to 100");
        }

        var places = to.Select(t => t.Key).ToImmutableArray();
        if (Overlap(places) is { } wrong)
        {
            reader.At("to").Error(wrong, "write region/zone/subzone, a `*` only at the end, each place once");
        }

        return new(from, [.. to.Select(t => new LocalityShare(t.Key, t.Value))]);
    }

    private static RegionFailover ReadFailover(ObjectReader reader)
    {
        var failover = new RegionFailover(reader.Text("from") ?? "", reader.Text("to") ?? "");
        if (failover.From == failover.To)
        {
            reader.Self.Error("locality lb failover settings must specify different regions", "name another region in `to`");
        }

        if (failover.From.Contains('/', StringComparison.Ordinal) || failover.To.Contains('/', StringComparison.Ordinal))
        {
            reader.Self.Error("locality lb failover only specify region", "zones and subzones fail over by themselves");
        }

        if (failover.From.Contains('*', StringComparison.Ordinal) || failover.To.Contains('*', StringComparison.Ordinal))
        {
            reader.Self.Error("locality lb failover region should not contain '*' wildcard", "name the region");
        }

        return failover;
    }

    private static LocalityLoadBalancing Check(ObjectReader reader, LocalityLoadBalancing setting)
    {
        if (!setting.Distribute.IsEmpty && !setting.Failover.IsEmpty)
        {
            reader.At("failover").Error("can not simultaneously specify 'distribute' and 'failover'", "keep one of the two");
        }

        if (Overlap([.. setting.Distribute.Select(d => d.From)]) is { } wrong)
        {
            reader.At("distribute").Error(wrong, "write region/zone/subzone, a `*` only at the end, each place once");
        }

        for (var i = 0; i < setting.FailoverPriority.Length; i++)
        {
            if (TopologyLabels.Contains(setting.FailoverPriority[i]) && (setting.IsZoneAware || !setting.Failover.IsEmpty))
            {
                reader.At("failoverPriority", i).Error(
                    setting.IsZoneAware
                        ? $"'failover_priority' for zone aware lb must not use topology label '{setting.FailoverPriority[i]}'; region- and zone-level routing are handled automatically"
                        : $"can not simultaneously set 'failover' and topology label '{setting.FailoverPriority[i]}' in 'failover_priority'",
                    "remove the label");
            }
        }

        return setting;
    }

    /// <summary>What is wrong with a list of places: empty parts, stars that do not end it, or one that covers another.</summary>
    private static string? Overlap(ImmutableArray<string> places)
    {
        for (var i = 0; i < places.Length; i++)
        {
            var place = places[i];
            var star = place.IndexOf('*', StringComparison.Ordinal);
            if (star >= 0 && star != place.Length - 1)
            {
                return $"locality {place} wildcard '*' number can not exceed 1 and must be in the end";
            }

            if (place.Split('/', 3).Contains(""))
            {
                return $"locality {place} must not contain empty region/zone/subzone info";
            }

            for (var j = 0; j < i; j++)
            {
                if (Covers(place, places[j]) || Covers(places[j], place))
                {
                    return $"locality {place} overlap with previous specified ones";
                }
            }
        }

        return null;
    }

    private static bool Covers(string wide, string narrow)
    {
        var (parts, others) = (wide.TrimEnd('*').TrimEnd('/'), narrow.TrimEnd('*').TrimEnd('/'));
        return parts.Length == 0 || others == parts || others.StartsWith(parts + "/", StringComparison.Ordinal);
    }
}
