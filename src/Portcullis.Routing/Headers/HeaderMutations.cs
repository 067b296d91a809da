using System.Collections.Immutable;

namespace Portcullis.Routing;

/// <summary>What is done to a header.</summary>
public enum HeaderMutationKind
{
    /// <summary>Deletes every line.</summary>
    Remove,

    /// <summary>Replaces every line by one, or creates it.</summary>
    Set,

    /// <summary>Appends a line of its own.</summary>
    Add,
}

/// <summary>One operation on a header.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Name">Lower case.</param>
/// <param name="Value">
/// What it becomes; a value that comes out empty leaves the header alone (Envoy's <c>keep_empty_value: false</c>). Constant and empty for
/// <see cref="HeaderMutationKind.Remove"/>.
/// </param>
public sealed record HeaderMutation(HeaderMutationKind Kind, string Name, HeaderTemplate Value);

/// <summary>Operations to run one after the other; the precedence of routing.md §2.14 lies in their order.</summary>
public sealed class HeaderMutations
{
    internal HeaderMutations(ImmutableArray<HeaderMutation> operations) => Operations = operations;

    /// <summary>No operation.</summary>
    public static HeaderMutations None { get; } = new([]);

    /// <summary>In the order in which they take effect.</summary>
    public ImmutableArray<HeaderMutation> Operations { get; }

    /// <summary>Nothing to do.</summary>
    public bool IsEmpty => Operations.IsEmpty;
}
