using System.Collections.Immutable;
using System.Text.Json;

namespace Portcullis.Policy.Explanation;

/// <summary>Who sent the request, and what each rule said about its tokens.</summary>
public sealed record IdentityExplanation
{
    /// <summary><c>ok</c>, or what the refused token is answered with.</summary>
    public required string Status { get; init; }

    /// <summary>What the principal is, <c>issuer/subject</c>; <see langword="null"/> when there is none.</summary>
    public string? Principal { get; init; }

    /// <summary>Claims of the accepted token; <see langword="null"/> without one.</summary>
    public JsonElement? Claims { get; init; }

    /// <summary>The rule that accepted the token, or refused it.</summary>
    public string? Rule { get; init; }

    /// <summary>What a reader should know besides, such as why there is no principal.</summary>
    public string? Note { get; init; }

    /// <summary>Every token that was found, with every rule that reads the place where it stands.</summary>
    public ImmutableArray<TokenVerdict> Verdicts { get; init; } = [];
}

/// <summary>What one JWT rule says about one token.</summary>
/// <param name="Location">Where the token stands.</param>
/// <param name="Rule"><c>namespace/name jwtRules[i]</c>.</param>
/// <param name="Issuer">Issuer that the rule is for; <see langword="null"/> for any.</param>
/// <param name="IsAccepted">Whether all checks pass.</param>
/// <param name="Status">Name of the first check that failed, else <c>Ok</c>.</param>
/// <param name="Message">What the gateway answers when this verdict counts.</param>
/// <param name="Detail">What the token has and what the rule wants; <see langword="null"/> when there is no more to say.</param>
public sealed record TokenVerdict(string Location, string Rule, string? Issuer, bool IsAccepted, string Status, string Message, string? Detail);
