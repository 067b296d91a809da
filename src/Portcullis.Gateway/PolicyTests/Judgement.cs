using Portcullis.Gateway.Explanation;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>What the gateway does with a request.</summary>
public sealed record Judgement
{
    /// <summary>Whether the policies let it pass.</summary>
    public required bool IsAllowed { get; init; }

    /// <summary>Status of the gateway's answer; 200 for a request that is forwarded.</summary>
    public required int Status { get; init; }

    /// <summary>The policy that decided, <c>namespace/name</c>: an AuthorizationPolicy, or the RequestAuthentication that refused a token.</summary>
    public string? Policy { get; init; }

    /// <summary>Index of the rule in it.</summary>
    public int? Rule { get; init; }

    /// <summary>Body of the gateway's refusal; <see langword="null"/> when the answer is not its own, or not known.</summary>
    public string? Body { get; init; }

    /// <summary>Why, in one sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>Request principal; <see langword="null"/> without identity.</summary>
    public string? Principal { get; init; }

    /// <summary>Why the request could not be judged: the test has to say more, or the two evaluators differ. Then the rest means nothing.</summary>
    public string? Obstacle { get; init; }

    /// <summary>The whole decision, and the route.</summary>
    public required ExplainedRequest Explained { get; init; }

    /// <summary>As an author would say it.</summary>
    public override string ToString() => $"{(IsAllowed ? "allow" : "deny")} with {Status}{(Policy is null ? "" : $" by {Policy}{(Rule is { } rule ? $" rule {rule}" : "")}")}";
}
