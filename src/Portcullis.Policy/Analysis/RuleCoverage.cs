using Portcullis.Policy.Authorization;

namespace Portcullis.Policy.Analysis;

/// <summary>Whether every request that one rule matches is matched by another. Never says yes when it is not so.</summary>
internal static class RuleCoverage
{
    public static bool Covers(AnalyzedRule wide, AnalyzedRule narrow) =>
        CoversAny(wide.From, narrow.From) && CoversAny(wide.To, narrow.To) && Implies(narrow.When, wide.When);

    private static bool CoversAny(Term[][] wide, Term[][] narrow) =>
        wide.Length == 0 || (narrow.Length > 0 && Array.TrueForAll(narrow, n => Array.Exists(wide, w => Implies(n, w))));

    /// <summary>What satisfies all of <paramref name="narrow"/> satisfies all of <paramref name="wide"/>.</summary>
    private static bool Implies(Term[] narrow, Term[] wide)
    {
        foreach (var term in wide)
        {
            if (!Array.Exists(narrow, n => n.Attribute == term.Attribute && Implies(n, term)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Implies(Term narrow, Term wide) => (narrow.IsNegated, wide.IsNegated) switch
    {
        (false, false) => PatternCoverage.CoversAll(wide, narrow),
        (true, true) => PatternCoverage.CoversAll(narrow, wide),
        // A list of claims or several header lines can hold the wanted value and the excluded one.
        (false, true) => narrow.Kind is not (AttributeKind.Claim or AttributeKind.Header or AttributeKind.PeerPrincipal)
            && narrow.Values.All(v => IsPlain(v) && !PatternCoverage.CoveredByAny(wide, v)),
        _ => false,
    };

    private static bool IsPlain(string value) => value.AsSpan().IndexOfAny("*{/") < 0 || (value.StartsWith('/') && value.AsSpan().IndexOfAny("*{") < 0);
}
