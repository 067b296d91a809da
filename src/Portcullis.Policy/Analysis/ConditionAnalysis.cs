using System.Globalization;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Values that claims are never compared with: only text, and elements of lists that are text, can match (authorization.md §6.3).</summary>
internal static class ConditionAnalysis
{
    public static void Run(AnalysisContext context)
    {
        var split = context.JwtRules.SelectMany(r => r.Rule.SpaceDelimitedClaims).Concat(["scope", "permission"]).ToHashSet(StringComparer.Ordinal);
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.When)
            {
                // Audience and presenter are text by their definition.
                if (term.Kind != AttributeKind.Claim || term.Key.Claim!.Names is not { } names || (names.Count == 1 && names[0] is "aud" or "azp"))
                {
                    continue;
                }

                for (var i = 0; i < term.Values.Length; i++)
                {
                    Check(context, rule, $"{term.Path}[{i}]", term.Values[i], names.Count == 1 && split.Contains(names[0]) ? names[0] : null);
                }
            }
        }
    }

    private static void Check(AnalysisContext context, AnalyzedRule rule, string path, string value, string? splitClaim)
    {
        if (splitClaim is not null && value.Trim().Contains(' ', StringComparison.Ordinal))
        {
            context.Warning(
                rule.Policy, path, ProblemCodes.ClaimWithSpace, $"`{value}` never matches: `{splitClaim}` is split at spaces and each part compared by itself",
                "name one part; for several at once, write a condition for each");
        }
        else if (value is "true" or "false" || double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
        {
            context.Note(
                rule.Policy, path, ProblemCodes.ClaimType, $"a claim that is the {(value is "true" or "false" ? "boolean" : "number")} `{value}` does not match: only text does",
                "let the issuer write the claim as text, or ignore this if it does");
        }
    }
}
