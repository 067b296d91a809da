using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>A Kubernetes Secret. Its values never appear in a log, a problem or a string form.</summary>
public sealed record Secret : Resource
{
    /// <summary>For example <c>kubernetes.io/tls</c>.</summary>
    public string? Type { get; init; }

    /// <summary>Decoded values (<c>data</c>, overlaid by <c>stringData</c>).</summary>
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> Values { get; init; } = ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty;

    /// <summary>The name only.</summary>
    public override string ToString() => Id.ToString();
}
