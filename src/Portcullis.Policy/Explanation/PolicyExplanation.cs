using System.Collections.Immutable;

namespace Portcullis.Policy.Explanation;

/// <summary>What one policy makes of the request.</summary>
public sealed record PolicyExplanation
{
    /// <summary><c>namespace/name</c>.</summary>
    public required string Name { get; init; }

    /// <summary><c>CUSTOM</c>, <c>AUDIT</c>, <c>DENY</c> or <c>ALLOW</c>.</summary>
    public required string Action { get; init; }

    /// <summary>A rehearsal (<c>istio.io/dry-run</c>): evaluated, never enforced.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Whether a rule matches.</summary>
    public bool Matches { get; init; }

    /// <summary>External authorizer of a CUSTOM policy.</summary>
    public string? Provider { get; init; }

    /// <summary><c>file:line</c>, when known.</summary>
    public string? Place { get; init; }

    /// <summary>Its rules in order.</summary>
    public ImmutableArray<RuleExplanation> Rules { get; init; } = [];
}

/// <summary>What one rule makes of the request: (any of From) and (any of To) and (all of When).</summary>
public sealed record RuleExplanation
{
    /// <summary><c>ns[NS]-policy[NAME]-rule[i]</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Path of the field, <c>spec.rules[i]</c>.</summary>
    public required string Field { get; init; }

    /// <summary><c>file:line</c>, when known.</summary>
    public string? Place { get; init; }

    /// <summary>Whether it matches.</summary>
    public bool Matches { get; init; }

    /// <summary>The reading of the path under which a DENY rule matches, when it is not the path itself.</summary>
    public string? PathReading { get; init; }

    /// <summary>Why an ALLOW rule is left out; <see langword="null"/> when it is not.</summary>
    public string? LeftOut { get; init; }

    /// <summary>Sources, any of which will do.</summary>
    public ImmutableArray<ClauseGroup> From { get; init; } = [];

    /// <summary>Operations, any of which will do.</summary>
    public ImmutableArray<ClauseGroup> To { get; init; } = [];

    /// <summary>Conditions, all of which must hold.</summary>
    public ImmutableArray<ClauseExplanation> When { get; init; } = [];

    /// <summary>The clauses on the easiest way to match: the source and the operation with the fewest failures, and all conditions.</summary>
    internal IEnumerable<ClauseExplanation> EasiestWay => [.. Easiest(From), .. Easiest(To), .. When];

    /// <summary>Every clause.</summary>
    internal IEnumerable<ClauseExplanation> Clauses => From.Concat(To).SelectMany(g => g.Clauses).Concat(When);

    private static ImmutableArray<ClauseExplanation> Easiest(ImmutableArray<ClauseGroup> groups) =>
        groups.IsEmpty ? [] : groups.MinBy(g => g.Clauses.Count(c => !c.Holds))!.Clauses;
}

/// <summary>One source or operation: all of its clauses must hold.</summary>
/// <param name="Field">Path of the field, <c>spec.rules[0].from[1].source</c>.</param>
/// <param name="Holds">Whether they all do.</param>
/// <param name="Clauses">In the order of the reference; empty is no constraint.</param>
public sealed record ClauseGroup(string Field, bool Holds, ImmutableArray<ClauseExplanation> Clauses);

/// <summary>One list of values of a rule, with what the request has there.</summary>
public sealed record ClauseExplanation
{
    /// <summary>Name of the field (<c>requestPrincipals</c>, <c>notPaths</c>) or the condition's key.</summary>
    public required string Key { get; init; }

    /// <summary>None of the values may match.</summary>
    public bool IsNegated { get; init; }

    /// <summary>The values that the policy lists.</summary>
    public required ImmutableArray<string> Wanted { get; init; }

    /// <summary>Those of the values that match the request.</summary>
    public ImmutableArray<string> Matched { get; init; } = [];

    /// <summary>What the request has, credentials replaced; <c>absent</c> for nothing.</summary>
    public required string Seen { get; init; }

    /// <summary>Whether the clause holds.</summary>
    public required bool Holds { get; init; }

    /// <summary>Why values, or the clause, cannot be used; <see langword="null"/> when all can.</summary>
    public string? Unusable { get; init; }

    /// <summary>Path of the field in the policy.</summary>
    public required string Field { get; init; }

    /// <summary><c>file:line</c>, when known.</summary>
    public string? Place { get; init; }

    /// <summary><c>key = seen, wanted "a" or "b"</c>.</summary>
    public override string ToString() => $"{Key} = {Seen}, wanted {(IsNegated ? "none of " : "")}{WantedText}";

    internal string WantedText => string.Join(IsNegated ? ", " : " or ", Wanted.Select(v => $"\"{v}\""));
}
