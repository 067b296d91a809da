using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>What is absent equals nothing: an exclusion alone lets it pass (authorization.md §4).</summary>
internal static class AbsenceAnalysis
{
    public static void Run(AnalysisContext context)
    {
        foreach (var rule in context.Enforced(PolicyAction.Allow))
        {
            var terms = rule.Terms.ToList();
            foreach (var term in terms)
            {
                if (!term.IsNegated || term.Values.Contains("*"))
                {
                    continue;
                }

                if (term.Key.IsOfToken && !rule.NeedsToken)
                {
                    context.Warning(
                        rule.Policy, term.Path, ProblemCodes.AbsentPasses, "a request without a token passes this exclusion: it has no value that could be excluded",
                        "add `requestPrincipals: [\"*\"]` to the rule's sources");
                }
                else if (term.Kind == AttributeKind.Header && !terms.Exists(t => !t.IsNegated && t.Attribute == term.Attribute))
                {
                    context.Note(
                        rule.Policy, term.Path, ProblemCodes.AbsentPasses, $"a request without the header `{term.Key.Header}` passes this exclusion",
                        "if it must be there, add `values: [\"*\"]` to the condition");
                }
            }
        }
    }
}
