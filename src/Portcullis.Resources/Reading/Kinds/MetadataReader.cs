using System.Globalization;

namespace Portcullis.Resources.Reading;

/// <summary>Reads <c>metadata</c>; what only the API server sets is accepted and dropped.</summary>
internal static class MetadataReader
{
    public static ResourceMetadata? Read(ObjectReader root) => root.Object("metadata", ReadFields, required: true);

    /// <summary>As far as it goes, without a word: enough to say which document a report is about, and for kinds that are ignored.</summary>
    public static ResourceMetadata Skim(MappingNode root)
    {
        var metadata = root.Find("metadata") as MappingNode;
        return new ResourceMetadata
        {
            Name = Text(metadata, "name") is { Length: > 0 } name ? name : "?",
            Namespace = Text(metadata, "namespace") is { Length: > 0 } ns ? ns : "default",
        };
    }

    private static ResourceMetadata ReadFields(ObjectReader reader)
    {
        reader.Accept("uid", "resourceVersion", "generation", "managedFields", "selfLink", "ownerReferences", "finalizers",
            "deletionTimestamp", "deletionGracePeriodSeconds", "generateName", "clusterName");
        var name = reader.RequiredText("name", reader.Has("generateName") ? "`name` is required: a document has no server to complete `generateName`" : null);
        if (name.Length > 0 && !Names.IsSubdomain(name))
        {
            reader.At("name").Error($"`{name}` is not a valid name", "use lower-case letters, digits, `-` and `.`, a letter or digit at both ends, at most 253 characters");
        }

        var ns = reader.Text("namespace");
        if (!string.IsNullOrEmpty(ns) && !Names.IsLabel(ns))
        {
            reader.At("namespace").Error($"`{ns}` is not a valid namespace", "use lower-case letters, digits and inner `-`, at most 63 characters");
        }

        return new ResourceMetadata
        {
            Name = name,
            Namespace = string.IsNullOrEmpty(ns) ? "default" : ns,
            Labels = reader.TextMap("labels"),
            Annotations = reader.TextMap("annotations"),
            CreationTimestamp = Timestamp(reader),
        };
    }

    private static DateTimeOffset? Timestamp(ObjectReader reader)
    {
        var text = reader.Text("creationTimestamp");
        if (text is null)
        {
            return null;
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        reader.At("creationTimestamp").Error($"`{text}` is not a time", "write it as 2026-01-31T12:00:00Z");
        return null;
    }

    private static string? Text(MappingNode? mapping, string key) => (mapping?.Find(key) as ScalarNode)?.Text;
}
