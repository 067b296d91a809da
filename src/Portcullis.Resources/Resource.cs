namespace Portcullis.Resources;

/// <summary>One Kubernetes-style document as its author wrote it: parsed, not yet compiled.</summary>
public abstract record Resource
{
    /// <summary>Group and version, for example <c>security.istio.io/v1</c>; core resources have just <c>v1</c>.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>The kind as written, for example <c>AuthorizationPolicy</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Name, namespace, labels and annotations.</summary>
    public required ResourceMetadata Metadata { get; init; }

    /// <summary>Where the document came from; finds the line of a field for problem reports.</summary>
    public required ResourceOrigin Origin { get; init; }

    /// <summary>Kind, namespace and name: what identifies the resource.</summary>
    public ResourceId Id => new(Kind, Metadata.Namespace, Metadata.Name);
}

/// <summary>Identifies a resource within one set.</summary>
/// <param name="Kind">For example <c>Gateway</c>.</param>
/// <param name="Namespace">Never empty; <c>default</c> when the document names none.</param>
/// <param name="Name">Never empty.</param>
public readonly record struct ResourceId(string Kind, string Namespace, string Name)
{
    /// <summary><c>Kind namespace/name</c>.</summary>
    public override string ToString() => $"{Kind} {Namespace}/{Name}";
}
