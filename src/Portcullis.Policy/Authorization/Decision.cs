namespace Portcullis.Policy.Authorization;

/// <summary>What becomes of a request.</summary>
public enum DecisionOutcome
{
    /// <summary>It passes.</summary>
    Allowed,

    /// <summary>It is denied, and no token could change that: 403 <c>RBAC: access denied</c>.</summary>
    Forbidden,

    /// <summary>It is denied, but another token could have passed: 401 with a challenge.</summary>
    Challenge,
}

/// <summary>The verdict of the AUDIT, DENY and ALLOW policies.</summary>
/// <param name="Outcome">What becomes of the request.</param>
/// <param name="PolicyId">
/// The rule that decided, <c>ns[NS]-policy[NAME]-rule[i]</c>; <see langword="null"/> when none did: no ALLOW policy is attached, or none matched.
/// </param>
/// <param name="AuditHint">Whether an AUDIT policy matched (Envoy's <c>access_log_hint</c>); <see langword="null"/> when there is none.</param>
/// <param name="DenyShadow">What the dry-run DENY policies would have said; <see langword="null"/> when there is none.</param>
/// <param name="AllowShadow">What the dry-run ALLOW policies would have said; <see langword="null"/> when there is none.</param>
public readonly record struct Decision(
    DecisionOutcome Outcome, string? PolicyId, bool? AuditHint = null, ShadowResult? DenyShadow = null, ShadowResult? AllowShadow = null)
{
    /// <summary>Whether the request passes.</summary>
    public bool IsAllowed => Outcome == DecisionOutcome.Allowed;
}

/// <summary>What policies with <c>istio.io/dry-run: "true"</c> would have decided.</summary>
/// <param name="IsAllowed">Envoy's <c>shadow_engine_result</c>: <c>allowed</c> or <c>denied</c>.</param>
/// <param name="PolicyId">Envoy's <c>shadow_effective_policy_id</c>.</param>
public readonly record struct ShadowResult(bool IsAllowed, string? PolicyId);

/// <summary>A CUSTOM policy that matches a request.</summary>
/// <param name="Provider">Name of the external authorizer to ask, <c>spec.provider.name</c>.</param>
/// <param name="PolicyId">The rule that matched.</param>
public readonly record struct CustomMatch(string Provider, string PolicyId);
