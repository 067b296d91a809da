using Portcullis.Jose;

namespace Portcullis.Policy.Authentication;

/// <summary>What request authentication found out about one request.</summary>
/// <param name="Status">
/// <see cref="JwtStatus.Ok"/> lets the request go on, with or without an identity; anything else is answered with the status' text and code (authentication.md §13).
/// </param>
/// <param name="Identity">Who sent the request; <see langword="null"/> when it is anonymous or refused.</param>
/// <param name="Edits">What to change before forwarding; <see langword="null"/> for nothing. Meaningless when refused.</param>
/// <param name="Rule">
/// The rule that accepted the token, or whose check refused it; <see langword="null"/> when the request is anonymous, or when the token failed before any rule's
/// own check (it cannot be read, or no rule is of its issuer).
/// </param>
public readonly record struct AuthenticationResult(JwtStatus Status, JwtIdentity? Identity, RequestEdits? Edits, JwtRuleReference? Rule)
{
    /// <summary>A signature was not verified as that was not asked for: nothing else here means anything.</summary>
    public bool IsPostponed { get; private init; }

    /// <summary>The result of which nothing is known yet. Refuses, should anybody take it for one.</summary>
    internal static AuthenticationResult Postponed { get; } = new(JwtStatus.VerificationFailed, null, null, null) { IsPostponed = true };

    /// <summary>Whether the request goes on to authorization.</summary>
    public bool IsAccepted => Status == JwtStatus.Ok;
}
