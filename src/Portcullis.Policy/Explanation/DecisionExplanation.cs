using System.Collections.Immutable;

namespace Portcullis.Policy.Explanation;

/// <summary>How a request ends at the policies.</summary>
public enum ExplainedOutcome
{
    /// <summary>It passes.</summary>
    Allowed,

    /// <summary>403: a policy refuses it, and no token could change that.</summary>
    Forbidden,

    /// <summary>401: a policy refuses it, but another token could pass.</summary>
    Challenge,

    /// <summary>401 or 403: the token failed a check, or a required one is missing.</summary>
    TokenRefused,

    /// <summary>400 or 404: the request target cannot be served.</summary>
    Malformed,
}

/// <summary>The whole decision about one request, as plain values: for people, for programs, and for tests. Holds no token.</summary>
public sealed record DecisionExplanation
{
    /// <summary>How it ends.</summary>
    public required ExplainedOutcome Outcome { get; init; }

    /// <summary>Status of the gateway's own answer; 200 when the request passes.</summary>
    public required int StatusCode { get; init; }

    /// <summary>Why, in one sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>
    /// External authorizers that would be asked first, in this order. The rest of the explanation holds for the case that all of them allow; whoever denies
    /// ends the request.
    /// </summary>
    public ImmutableArray<ExternalCheck> ExternalChecks { get; init; } = [];

    /// <summary>The rule that decided, <c>ns[NS]-policy[NAME]-rule[i]</c>; <see langword="null"/> when none did.</summary>
    public string? PolicyId { get; init; }

    /// <summary>The request as it was understood.</summary>
    public required RequestExplanation Request { get; init; }

    /// <summary>Who sent it.</summary>
    public required IdentityExplanation Identity { get; init; }

    /// <summary>Rules that nearly decided otherwise, nearest first.</summary>
    public ImmutableArray<NearMiss> NearMisses { get; init; } = [];

    /// <summary>The least that would make it end otherwise; <see langword="null"/> for a request that is malformed.</summary>
    public SmallestChange? SmallestChange { get; init; }

    /// <summary>Every attached policy in the order in which it counts: CUSTOM, AUDIT, DENY, ALLOW. Empty when they were not reached.</summary>
    public ImmutableArray<PolicyExplanation> Policies { get; init; } = [];

    /// <summary>Whether it passes.</summary>
    public bool IsAllowed => Outcome == ExplainedOutcome.Allowed;
}

/// <summary>The request, and the path in its forms.</summary>
public sealed record RequestExplanation
{
    /// <summary>Method.</summary>
    public required string Method { get; init; }

    /// <summary>Host header.</summary>
    public required string Authority { get; init; }

    /// <summary>Target as received, credentials replaced.</summary>
    public required string Target { get; init; }

    /// <summary>Path that policies and routes see; <see langword="null"/> when the target has none.</summary>
    public string? Path { get; init; }

    /// <summary><c>pathNormalization</c> in force.</summary>
    public required string Normalization { get; init; }

    /// <summary>Other readings of the path that DENY rules are held against; empty when there is no other.</summary>
    public ImmutableArray<string> DenyReadings { get; init; } = [];

    /// <summary>The port that the gateway listens on.</summary>
    public required int LocalPort { get; init; }
}

/// <summary>A rule that did not match but nearly did.</summary>
/// <param name="RuleId">The rule.</param>
/// <param name="Action">Action of its policy.</param>
/// <param name="Held">Conditions that held.</param>
/// <param name="Total">Conditions that it has on its easiest way to match.</param>
/// <param name="Missing">What did not hold.</param>
/// <param name="Summary">All of it in one line.</param>
public sealed record NearMiss(string RuleId, string Action, int Held, int Total, ImmutableArray<ClauseExplanation> Missing, string Summary);

/// <summary>The fewest clauses that would have to come out the other way for the decision to be the opposite.</summary>
/// <param name="To"><c>allow</c> or <c>deny</c>.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Steps">All of them are needed; empty when no change of the request does it.</param>
public sealed record SmallestChange(string To, string Summary, ImmutableArray<ChangeStep> Steps);

/// <summary>One clause that would have to come out the other way.</summary>
/// <param name="RuleId">Rule of the clause.</param>
/// <param name="Text">What the request would have to be like.</param>
/// <param name="Place"><c>file:line</c> of the clause, when known.</param>
public sealed record ChangeStep(string RuleId, string Text, string? Place);
