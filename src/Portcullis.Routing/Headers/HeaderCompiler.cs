using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>The operations of one level (a route, or one of its destinations), before they are put in order with the other level's.</summary>
/// <param name="Removes">Deletes.</param>
/// <param name="Values">Sets, then adds, each by name.</param>
internal sealed record HeaderLevel(ImmutableArray<HeaderMutation> Removes, ImmutableArray<HeaderMutation> Values)
{
    public static HeaderLevel None { get; } = new([], []);

    /// <summary>Several destinations: the destination's list runs first, then the route's, whose <c>set</c> and <c>remove</c> win.</summary>
    public static HeaderMutations InSequence(HeaderLevel route, HeaderLevel destination) =>
        AreEmpty(route, destination) ? HeaderMutations.None : new([.. destination.Removes, .. destination.Values, .. route.Removes, .. route.Values]);

    /// <summary>One destination: one list, the destination's behind the route's, so that the destination's <c>set</c> wins.</summary>
    public static HeaderMutations AsOne(HeaderLevel route, HeaderLevel destination) =>
        AreEmpty(route, destination) ? HeaderMutations.None : new([.. route.Removes, .. destination.Removes, .. route.Values, .. destination.Values]);

    private bool IsEmpty => Removes.IsEmpty && Values.IsEmpty;

    private static bool AreEmpty(HeaderLevel route, HeaderLevel destination) => route.IsEmpty && destination.IsEmpty;
}

/// <summary>Both directions of one level, and the Host header that its request operations ask for.</summary>
/// <param name="Request">On the request.</param>
/// <param name="Response">On the response.</param>
/// <param name="Authority">Value that replaces the Host header.</param>
internal sealed record CompiledHeaders(HeaderLevel Request, HeaderLevel Response, string? Authority)
{
    public static CompiledHeaders None { get; } = new(HeaderLevel.None, HeaderLevel.None, null);
}

/// <summary>Compiles <c>headers</c> (routing.md §2.14).</summary>
internal static class HeaderCompiler
{
    public static CompiledHeaders Compile(HeaderRules? rules, VirtualService owner, string fieldPath, ProblemReporter problems) =>
        rules is null
            ? CompiledHeaders.None
            : new(
                Level(rules.Request, owner, fieldPath + ".headers.request", problems),
                Level(rules.Response, owner, fieldPath + ".headers.response", problems),
                AuthorityOf(rules.Request.Set) ?? AuthorityOf(rules.Request.Add));

    private static HeaderLevel Level(HeaderOperations operations, VirtualService owner, string fieldPath, ProblemReporter problems)
    {
        if (operations.Set.IsEmpty && operations.Add.IsEmpty && operations.Remove.IsEmpty)
        {
            return HeaderLevel.None;
        }

        var removes = ImmutableArray.CreateBuilder<HeaderMutation>();
        var values = ImmutableArray.CreateBuilder<HeaderMutation>();
        foreach (var name in operations.Remove)
        {
            if (!IsIgnored(name))
            {
                removes.Add(new(HeaderMutationKind.Remove, name.ToLowerInvariant(), HeaderTemplate.Empty));
            }
        }

        Values(HeaderMutationKind.Set, operations.Set, fieldPath + ".set");
        Values(HeaderMutationKind.Add, operations.Add, fieldPath + ".add");
        return new(removes.ToImmutable(), values.ToImmutable());

        void Values(HeaderMutationKind kind, ImmutableDictionary<string, string> written, string field)
        {
            foreach (var (name, value) in written.OrderBy(p => p.Key, StringComparer.Ordinal))
            {
                if (IsIgnored(name))
                {
                    continue;
                }

                if (HeaderTemplate.TryParse(value, out var template, out var error))
                {
                    values.Add(new(kind, name.ToLowerInvariant(), template));
                    continue;
                }

                problems.Error(owner, $"{field}.{name}", ProblemCodes.InvalidValue, error);
                if (kind == HeaderMutationKind.Set)
                {
                    // A backend that trusts this header must not get the client's own value in its place.
                    removes.Add(new(HeaderMutationKind.Remove, name.ToLowerInvariant(), HeaderTemplate.Empty));
                }
            }
        }
    }

    private static bool IsIgnored(string name) => name is [':', ..] || name.Equals("host", StringComparison.OrdinalIgnoreCase);

    private static string? AuthorityOf(ImmutableDictionary<string, string> values)
    {
        foreach (var (name, value) in values)
        {
            if (name.Equals("host", StringComparison.OrdinalIgnoreCase) || name.Equals(":authority", StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }
}
