using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Sources, operations and conditions that ask for a value and exclude it.</summary>
internal static class ContradictionAnalysis
{
    public static void Run(AnalysisContext context)
    {
        foreach (var rule in context.Rules)
        {
            foreach (var terms in rule.From.Concat(rule.To).Append(rule.When))
            {
                Check(context, rule, terms);
            }
        }
    }

    private static void Check(AnalysisContext context, AnalyzedRule rule, Term[] terms)
    {
        foreach (var term in terms)
        {
            if (term.IsNegated && term.Values.Contains("*") && term.Kind is AttributeKind.Host or AttributeKind.Method or AttributeKind.Path)
            {
                Report(context, rule, term, $"`{term.Field}` excludes everything");
            }
            else if (!term.IsNegated && Array.Find(terms, t => t.IsNegated && t.Attribute == term.Attribute && PatternCoverage.CoversAll(t, term)) is { } excluded)
            {
                Report(context, rule, excluded, $"all values of `{term.Field}` are excluded by `{excluded.Field}`");
            }
            else if (IsSingle(term) && Array.Find(terms, t => IsSingle(t) && t.Attribute == term.Attribute && !t.Values.Any(term.Values.Contains)) is { } other
                && Array.IndexOf(terms, term) < Array.IndexOf(terms, other))
            {
                Report(context, rule, other, "no connection has a value of this condition and of the one before about the same key: conditions must all hold");
            }
        }
    }

    /// <summary>A request has one value of it, and the values are compared as they are.</summary>
    private static bool IsSingle(Term term) =>
        !term.IsNegated && (term.Kind == AttributeKind.LocalPort || (term.Kind == AttributeKind.ServerName && term.Values.All(v => !v.Contains('*'))));

    private static void Report(AnalysisContext context, AnalyzedRule rule, Term at, string what) =>
        context.Warning(rule.Policy, at.Path, ProblemCodes.NeverMatches, $"this can never match: {what}", "remove one of the two, or the whole item");
}
