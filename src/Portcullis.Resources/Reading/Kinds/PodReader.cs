using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads what a gateway needs of a Pod: its labels and addresses. The rest is as the API server made it, and is not looked at.</summary>
internal static class PodReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header)
    {
        root.Accept("spec");
        return new Pod
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            PodIPs = Addresses(root.RawObject("status")),
        };
    }

    private static ImmutableArray<string> Addresses(MappingNode? status)
    {
        if (status?.Find("podIPs") is SequenceNode { Items.Length: > 0 } list)
        {
            return [.. list.Items.OfType<MappingNode>().Select(i => i.Find("ip")).OfType<ScalarNode>().Select(s => s.Text)];
        }

        return status?.Find("podIP") is ScalarNode { Kind: ScalarKind.Text, Text.Length: > 0 } single ? [single.Text] : [];
    }
}
