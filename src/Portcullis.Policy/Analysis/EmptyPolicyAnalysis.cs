using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>An ALLOW policy without rules matches nothing and still turns on the denial of all else.</summary>
internal static class EmptyPolicyAnalysis
{
    public static void Run(AnalysisContext context)
    {
        if (!context.IsComplete || context.Enforced(PolicyAction.Allow).Any())
        {
            return;
        }

        foreach (var policy in context.Policies)
        {
            if (policy.Action == PolicyAction.Allow && policy.Rules.IsEmpty && !PolicyRules.IsDryRun(policy))
            {
                context.Note(
                    policy, "spec", ProblemCodes.AllowsNothing, "every request is denied: this ALLOW policy has no rule, and there is no other that allows anything",
                    "if that is not meant, add a rule; `rules: [{}]` allows everything");
            }
        }
    }
}
