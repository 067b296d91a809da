namespace Portcullis.Resources.Reading;

/// <summary>Reads one document: its kind, its metadata, and the rest by the reader of the kind.</summary>
internal static class DocumentReader
{
    /// <summary>The items of a Kubernetes <c>List</c> (or <c>GatewayList</c> …); <see langword="null"/> for anything else.</summary>
    public static Node[]? ItemsOf(Node tree) =>
        tree is MappingNode mapping && mapping.Find("kind") is ScalarNode { Text: var kind } && kind.EndsWith("List", StringComparison.Ordinal)
            ? mapping.Find("items") switch
            {
                SequenceNode items => items.Items,
                { IsNull: true } => [],
                _ => null,
            }
            : null;

    public static Resource? Read(ReadContext context, Node tree, ResourceOrigin origin)
    {
        if (tree.IsNull)
        {
            return null;
        }

        if (tree is not MappingNode mapping)
        {
            context.Add(ProblemSeverity.Error, ProblemCodes.WrongType, tree.Position, null, "the document is not a mapping", "a resource begins with apiVersion and kind");
            return null;
        }

        var root = new ObjectReader(context, mapping, mapping.Position, new FieldPath(null, null));
        var apiVersion = root.Text("apiVersion");
        var kind = root.Text("kind");
        if (string.IsNullOrEmpty(apiVersion) || string.IsNullOrEmpty(kind))
        {
            if (context.Errors == 0)
            {
                Unidentified(context, mapping, string.IsNullOrEmpty(apiVersion) ? "apiVersion" : "kind");
            }

            return null;
        }

        var skimmed = MetadataReader.Skim(mapping);
        context.Name(new(kind, skimmed.Namespace, skimmed.Name));
        var errors = context.Errors;
        var known = KindTable.Find(context, apiVersion, kind, PlaceOf(mapping, "apiVersion"), PlaceOf(mapping, "kind"));
        if (known is null)
        {
            return context.Errors > errors
                ? null
                : new IgnoredResource { ApiVersion = apiVersion, Kind = kind, Metadata = skimmed, Origin = origin };
        }

        (context.AcceptsSnakeCase, context.RefusesNull) = (false, false);
        var metadata = MetadataReader.Read(root) ?? new ResourceMetadata { Name = "", Namespace = "default" };
        (context.AcceptsSnakeCase, context.RefusesNull) = (known.IsIstio, known.IsPolicy);
        root.Accept("status");
        var resource = known.Read(root, new(apiVersion, kind, metadata, origin));
        root.Finish();
        return context.Errors == 0 ? resource : null;
    }

    private static void Unidentified(ReadContext context, MappingNode mapping, string missing)
    {
        var isMesh = mapping.Find("extensionProviders") is not null || mapping.Find("defaultConfig") is not null || mapping.Find("pathNormalization") is not null;
        context.Add(ProblemSeverity.Error, ProblemCodes.MissingField, mapping.Position, missing, $"`{missing}` is required: this is not a Kubernetes resource",
            isMesh ? "give a mesh configuration with --mesh-config"
            : mapping.Find("tests") is not null ? "keep policy tests in a folder of their own, and run them with `portcullis test`"
            : "add apiVersion and kind, or move the file out of the folder");
    }

    private static SourcePosition PlaceOf(MappingNode mapping, string key)
    {
        foreach (var entry in mapping.Entries)
        {
            if (entry.Key == key)
            {
                return entry.Position;
            }
        }

        return mapping.Position;
    }
}
