using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>The part of Kubernetes' ObjectMeta that the gateway uses.</summary>
public sealed record ResourceMetadata
{
    /// <summary>Required in every document.</summary>
    public required string Name { get; init; }

    /// <summary>Namespace; <c>default</c> when the document names none.</summary>
    public required string Namespace { get; init; }

    /// <summary>Labels, empty when absent.</summary>
    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Annotations, empty when absent.</summary>
    public ImmutableDictionary<string, string> Annotations { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>
    /// Creation time; decides every "the oldest wins" conflict. Files rarely carry it: then it is
    /// <see langword="null"/>, and the order in which the documents were read (<see cref="ResourceOrigin.Order"/>) decides.
    /// </summary>
    public DateTimeOffset? CreationTimestamp { get; init; }
}
