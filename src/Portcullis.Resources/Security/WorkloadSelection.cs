using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>How a policy is attached to workloads: by labels or by reference, at most one of them.</summary>
public sealed record WorkloadSelection
{
    /// <summary><c>spec.selector.matchLabels</c>; <see langword="null"/> when there is no selector.</summary>
    public ImmutableDictionary<string, string>? MatchLabels { get; init; }

    /// <summary><c>spec.targetRefs</c>, or the single legacy <c>spec.targetRef</c>.</summary>
    public ImmutableArray<TargetReference> TargetRefs { get; init; } = [];

    /// <summary>Selects every workload of the namespace.</summary>
    public static WorkloadSelection All { get; } = new();
}

/// <summary>A resource that a policy is attached to.</summary>
public sealed record TargetReference
{
    /// <summary>API group; empty (or <c>core</c>) for core resources.</summary>
    public string Group { get; init; } = "";

    /// <summary>For example <c>Gateway</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Name in the policy's own namespace.</summary>
    public required string Name { get; init; }

    /// <summary>Must be absent or the policy's own.</summary>
    public string? Namespace { get; init; }
}
