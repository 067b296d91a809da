using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Issuers are compared to the byte: two that differ by a slash or by case are two.</summary>
internal static class IssuerAnalysis
{
    public static void Run(AnalysisContext context)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (policy, rule, path) in context.JwtRules)
        {
            if (rule.Issuer is { } issuer && !known.TryAdd(Fold(issuer), issuer) && known[Fold(issuer)] is var other && other != issuer)
            {
                context.Warning(
                    policy, $"{path}.issuer", ProblemCodes.NearIssuer, $"`{issuer}` and `{other}` are two issuers: `iss` is compared to the byte",
                    "keep the one that stands in the tokens");
            }
        }
    }

    /// <summary>What issuers that a person takes for the same have in common.</summary>
    public static string Fold(string issuer) => issuer.TrimEnd('/').ToLowerInvariant();
}
