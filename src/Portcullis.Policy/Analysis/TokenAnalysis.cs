using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Whether a token is required at all, and whether health checks were forgotten when it is.</summary>
internal static class TokenAnalysis
{
    private static readonly string[] HealthPaths = ["/healthz", "/readyz", "/livez", "/health", "/ready", "/live", "/ping", "/status"];

    public static void Run(AnalysisContext context)
    {
        if (context.JwtRules.IsEmpty || !context.IsComplete)
        {
            return;
        }

        var required = context.JwtRules.FirstOrDefault(r => r.Rule.Presence == JwtPresence.Required);
        var allow = context.Enforced(PolicyAction.Allow).ToList();
        var deny = context.Enforced(PolicyAction.Deny).Where(r => r.AsksForAbsentToken).ToList();
        var needing = allow.Find(r => r.NeedsToken);
        var hasAllow = context.Policies.Any(p => p.Action == PolicyAction.Allow && !PolicyRules.IsDryRun(p));
        if (required.Policy is not null)
        {
            context.Note(
                required.Policy, $"{required.Path}.presence", ProblemCodes.HealthProtected,
                "every path needs a token, those of health checks too: a probe without one gets 401",
                "probe the gateway's status port (15021 /healthz/ready), or require the token by an AuthorizationPolicy that exempts the health paths");
        }
        else if (needing is null && deny.Count == 0)
        {
            // With an ALLOW policy that lets named requests in without a token, what remains is denied: that is a choice, too.
            if (!hasAllow || allow.Exists(r => r.Terms.FirstOrDefault() is null))
            {
                var first = context.JwtRules[0];
                context.Warning(
                    first.Policy, "spec.jwtRules", ProblemCodes.TokenNotRequired,
                    "bad tokens are refused, but a request without a token passes: nothing requires one",
                    "add an AuthorizationPolicy with action ALLOW and `requestPrincipals: [\"*\"]`, or `presence: REQUIRED` to the rule");
            }
        }
        else if (deny.Find(DeniesHealthChecks) is { } denying)
        {
            context.Note(
                denying.Policy, denying.Path, ProblemCodes.HealthProtected,
                "health checks such as /healthz or /readyz are denied, too, when they have no token",
                "if something probes the application through the gateway, add `notPaths: [/healthz, /readyz]` to the rule's operations");
        }
        else if (needing is not null && deny.Count == 0 && !allow.Exists(LetsHealthChecksIn))
        {
            context.Note(
                needing.Policy, needing.Path, ProblemCodes.HealthProtected,
                "no rule lets a health check such as /healthz or /readyz in without a token",
                "if something probes the application through the gateway, add a rule with `to: [{operation: {paths: [/healthz, /readyz]}}]`");
        }
    }

    /// <summary>Every request without a token is denied, whatever its path.</summary>
    private static bool DeniesHealthChecks(AnalyzedRule rule) =>
        rule.From.Any(s => s is [{ IsNegated: true, Kind: AttributeKind.RequestPrincipal }])
        && rule.When.Length == 0
        && (rule.To.Length == 0 || rule.To.Any(o => o.All(t => t.Kind == AttributeKind.LocalPort)));

    private static bool LetsHealthChecksIn(AnalyzedRule rule) =>
        !rule.NeedsToken && (rule.To.Length == 0 || rule.To.Any(o => o.All(t => t.Kind != AttributeKind.Path) || o.Any(CoversHealthPath)));

    private static bool CoversHealthPath(Term term) =>
        term is { Kind: AttributeKind.Path, IsNegated: false }
        && term.Values.Any(v => HealthPaths.Any(h => PatternCoverage.Covers(term.Key, v, h)) || v.Contains("health", StringComparison.OrdinalIgnoreCase));
}
