using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Values that stand twice in a list.</summary>
internal static class DuplicateAnalysis
{
    public static void Run(AnalysisContext context)
    {
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms)
            {
                Check(context, rule.Policy, term.Path, term.Values);
            }
        }

        foreach (var (policy, rule, path) in context.JwtRules)
        {
            Check(context, policy, $"{path}.audiences", rule.Audiences);
            Check(context, policy, $"{path}.fromParams", rule.FromParams);
            Check(context, policy, $"{path}.fromCookies", rule.FromCookies);
        }
    }

    private static void Check(AnalysisContext context, Resource policy, string path, ImmutableArray<string> values)
    {
        if (values.Length < 2)
        {
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < values.Length; i++)
        {
            if (!seen.Add(values[i]))
            {
                context.Note(policy, $"{path}[{i}]", ProblemCodes.DuplicateValue, $"`{values[i]}` stands twice in the list", "remove it", new(values[i], null));
            }
        }
    }
}
