using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Diagnosis;

/// <summary>What AuthorizationPolicies say to a request whose token was accepted, or that has none.</summary>
internal sealed class DenialExplanation(IEnumerable<AuthorizationPolicy> attached, MeshConfig mesh)
{
    /// <summary>Envoy's text.</summary>
    public const string AccessDenied = "RBAC: access denied";

    private readonly ImmutableArray<string> _wanted =
    [
        .. attached.Where(p => p.Action == PolicyAction.Allow).SelectMany(p => p.Rules).SelectMany(r => r.From).SelectMany(s => s.RequestPrincipals).Distinct(StringComparer.Ordinal),
    ];

    /// <summary><see langword="null"/> when the token has no issuer: then there is no principal.</summary>
    public static string? PrincipalOf(string? issuer, string? subject) => issuer is null ? null : $"{issuer}/{subject}";

    public GatewayAnswer Explain(in Decision decision, JwtIdentity? identity, bool hasRules)
    {
        if (decision.IsAllowed)
        {
            var by = decision.PolicyId is { } policy ? $"allowed by {policy}" : "no ALLOW policy is attached, so what is not denied passes";
            return new(null, null, IsKnown: true, new(
                $"{by}; the request goes on to its route {(identity is null ? "without an identity" : $"as {Wording.Quote(PrincipalOf(identity.Issuer, identity.Subject))}")}",
                identity is null && hasRules && decision.PolicyId is null ? "to require a token, add an ALLOW policy with `requestPrincipals: [\"*\"]`" : null));
        }

        var (status, body) = decision.Outcome == DecisionOutcome.Challenge
            ? (401, identity is null ? JwtStatus.Missing.Message : AccessDenied)
            : (403, AccessDenied);
        return new(status, body, IsKnown: true, decision.PolicyId is { } id ? new($"denied by {id}", "another request or another token may pass; `portcullis check` shows the policy's place") : Unmatched(identity));
    }

    private TokenFinding Unmatched(JwtIdentity? identity)
    {
        var wanted = _wanted.IsEmpty ? "no ALLOW policy matches" : $"no ALLOW policy matches; they want the principal {Wording.List(_wanted)}";
        if (identity is null)
        {
            return new($"{wanted}, and the request has no principal: no verified token came", "send a token where a rule reads it");
        }

        var principal = $"{wanted}, the token's is {Wording.Quote(PrincipalOf(identity.Issuer, identity.Subject))}";
        if (identity.Subject is null)
        {
            return new(
                $"{principal}: it has no `sub`{(mesh.PrincipalWithoutSub == PrincipalWithoutSubMode.Reject ? ", and so no principal (principalWithoutSub: Reject)" : "")}",
                "a principal is `<issuer>/<subject>`: get a token with both `iss` and `sub`");
        }

        return _wanted.FirstOrDefault(w => !w.Contains('/', StringComparison.Ordinal) && w != "*") is { } odd
            ? new($"{principal}", $"a principal is `<issuer>/<subject>`, and {Wording.Quote(odd)} has no slash: write {Wording.Quote($"{identity.Issuer}/{identity.Subject}")} or {Wording.Quote($"{identity.Issuer}/*")}")
            : new(principal, "send a token of that issuer and subject, or add this principal to the policy; method, path and host may be what does not match, too");
    }
}
