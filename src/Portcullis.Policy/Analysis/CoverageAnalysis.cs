using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Rules without effect: another rule of the action has all their requests, or a DENY rule has.</summary>
internal static class CoverageAnalysis
{
    public static void Run(AnalysisContext context)
    {
        var allow = context.Enforced(PolicyAction.Allow).ToList();
        var deny = context.Enforced(PolicyAction.Deny).ToList();
        var denied = new CoverageIndex(deny);
        ReportShadowed(context, allow, new CoverageIndex(allow), denied);
        ReportShadowed(context, deny, denied, null);
    }

    private static void ReportShadowed(AnalysisContext context, List<AnalyzedRule> rules, CoverageIndex index, CoverageIndex? denied)
    {
        var order = new Dictionary<AnalyzedRule, int>(rules.Count);
        foreach (var rule in rules)
        {
            order[rule] = order.Count;
        }

        foreach (var rule in rules)
        {
            if (denied?.Covering(rule).FirstOrDefault() is { } deny)
            {
                context.Warning(
                    rule.Policy, rule.Path, ProblemCodes.DenyWins,
                    $"the rule has no effect: all its requests are denied by {deny.Describe(rule)}, and DENY goes before ALLOW",
                    "exclude these requests from the DENY rule (notPaths, notRequestPrincipals …), or allow instead of denying: what no ALLOW rule matches is denied anyway");
            }
            else if (index.Covering(rule).FirstOrDefault(r => order[r] < order[rule] || !RuleCoverage.Covers(rule, r)) is { } wider)
            {
                context.Warning(
                    rule.Policy, rule.Path, ProblemCodes.Shadowed, $"the rule changes nothing: all its requests are matched by {wider.Describe(rule)} already",
                    "remove it, or narrow the other rule");
            }
        }
    }
}
