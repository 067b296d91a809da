using System.Collections.Immutable;
using Portcullis.Jose;

namespace Portcullis.Policy.Diagnosis;

/// <summary>What a configuration thinks of one token. Says nothing that would let a reader use the token.</summary>
public sealed record TokenDiagnosis
{
    /// <summary>Whether the token can be read; else the first reason, which every rule gives (authentication.md §7, checks 1–13).</summary>
    public required JwtStatus Status { get; init; }

    /// <summary>What is wrong with a token that cannot be read, and what helps; <see langword="null"/> for one that can.</summary>
    public TokenFinding? Finding { get; init; }

    /// <summary>The token read; <see langword="null"/> when it cannot be, or when there is none.</summary>
    public JsonWebToken? Token { get; init; }

    /// <summary>One for each rule that reaches the gateway, in the order in which they run.</summary>
    public required ImmutableArray<RuleVerdict> Rules { get; init; }

    /// <summary>Policies that do not reach this gateway, and why not.</summary>
    public required ImmutableArray<string> NotAttached { get; init; }

    /// <summary>What the gateway would answer.</summary>
    public required GatewayAnswer Answer { get; init; }

    /// <summary>Whether some rule accepts the token.</summary>
    public bool IsAccepted => Rules.Any(r => r.Accepts);
}

/// <summary>Something that is wrong or odd, and what helps.</summary>
/// <param name="Detail">What, and by how much.</param>
/// <param name="Remedy">What to do; <see langword="null"/> when there is nothing to do.</param>
public sealed record TokenFinding(string Detail, string? Remedy)
{
    /// <summary>A value out of a token, fit to be shown: cut, and without what a terminal would obey.</summary>
    public static string Quote(string? value) => Wording.Quote(value);
}
