using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Diagnosis;

/// <summary>What one rule thinks of a token.</summary>
public sealed record RuleVerdict
{
    /// <summary>The rule.</summary>
    public required JwtRuleReference Rule { get; init; }

    /// <summary><c>file:line</c> of the rule, or the name of where it came from.</summary>
    public required string Source { get; init; }

    /// <summary>Its <c>issuer</c>; <see langword="null"/> accepts every one.</summary>
    public required string? Issuer { get; init; }

    /// <summary>The places it reads tokens from.</summary>
    public required ImmutableArray<string> Reads { get; init; }

    /// <summary>The place in which it finds the token; <see langword="null"/> when it reads no place that holds it.</summary>
    public required string? FoundIn { get; init; }

    /// <summary>The first check that fails, wherever the token is; <see cref="JwtStatus.Ok"/> also while <see cref="KeysUnknown"/>.</summary>
    public required JwtStatus Status { get; init; }

    /// <summary>All checks but the signature passed, and the keys were not fetched.</summary>
    public bool KeysUnknown { get; init; }

    /// <summary>What to know and to do about it; the reason of a refusal comes first.</summary>
    public required ImmutableArray<TokenFinding> Findings { get; init; }

    /// <summary><c>issuer/subject</c> of the accepted token, as policies see it.</summary>
    public string? Principal { get; init; }

    /// <summary>The rule finds the token and accepts it.</summary>
    public bool Accepts => FoundIn is not null && Status == JwtStatus.Ok && !KeysUnknown;
}
