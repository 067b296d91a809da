using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>All resources of one revision of the configuration, with what was found while reading them.</summary>
public sealed class ResourceSet
{
    private readonly ImmutableDictionary<Type, ImmutableArray<Resource>> _byType;

    /// <summary>Groups the resources; those of one type are kept oldest first (creation time, then order of reading).</summary>
    public ResourceSet(IEnumerable<Resource> resources, ImmutableArray<Problem> problems, string revision)
    {
        All = [.. resources.OrderBy(r => r.Metadata.CreationTimestamp ?? DateTimeOffset.MaxValue).ThenBy(r => r.Origin.Order)];
        _byType = All.GroupBy(r => r.GetType()).ToImmutableDictionary(g => g.Key, g => g.ToImmutableArray());
        Problems = problems;
        Revision = revision;
    }

    /// <summary>No resource at all.</summary>
    public static ResourceSet Empty { get; } = new([], [], "");

    /// <summary>Everything, oldest first.</summary>
    public ImmutableArray<Resource> All { get; }

    /// <summary>Findings of reading and validating; an error here means that the document it names is not in the set.</summary>
    public ImmutableArray<Problem> Problems { get; }

    /// <summary>Content hash: equal revisions have equal content.</summary>
    public string Revision { get; }

    /// <summary>The mesh configuration of this revision; Istio's defaults when none was given.</summary>
    public MeshConfig Mesh { get; init; } = MeshConfig.Default;

    /// <summary>All resources of a type, oldest first.</summary>
    public IEnumerable<T> OfType<T>() where T : Resource =>
        _byType.TryGetValue(typeof(T), out var found) ? found.Cast<T>() : [];
}
