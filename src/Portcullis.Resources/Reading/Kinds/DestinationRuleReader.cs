namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates DestinationRule (routing.md §4); the policy itself is read by <see cref="TrafficPolicyReader"/>.</summary>
internal static class DestinationRuleReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec =>
    {
        var host = spec.RequiredText("host");
        if (host.Length > 0 && HostNames.Wrong(host, shortNames: true, addresses: false) is { } wrong)
        {
            spec.At("host").Error(wrong, "name a Service or a ServiceEntry's host, or *.suffix");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        return new DestinationRule
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Host = host,
            TrafficPolicy = spec.Object("trafficPolicy", TrafficPolicyReader.Read),
            Subsets = spec.List("subsets", (r, _) => ReadSubset(r, names)),
            ExportTo = ExportTo.Read(spec),
            WorkloadSelector = spec.Object("workloadSelector", static r => SelectionReader.MatchLabels(r)),
        };
    });

    private static Subset ReadSubset(ObjectReader reader, HashSet<string> names)
    {
        var name = reader.RequiredText("name");
        if (name.Length > 0 && !Names.IsLabel(name))
        {
            reader.At("name").Error($"subset name is invalid: `{name}` is not a DNS label", "use lower-case letters, digits and inner `-`");
        }
        else if (name.Length > 0 && !names.Add(name))
        {
            reader.At("name").Error($"duplicate subset name: `{name}`", "give every subset its own name", ProblemCodes.Conflict);
        }

        return new Subset
        {
            Name = name,
            Labels = reader.TextMap("labels"),
            TrafficPolicy = reader.Object("trafficPolicy", TrafficPolicyReader.Read),
        };
    }
}
