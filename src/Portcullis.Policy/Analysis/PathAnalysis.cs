using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Paths that no request has once it is normalised, and path rules that more slashes get around (authorization.md §9).</summary>
internal static class PathAnalysis
{
    public static void Run(AnalysisContext context)
    {
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms)
            {
                if (term.Kind != AttributeKind.Path)
                {
                    continue;
                }

                for (var i = 0; i < term.Values.Length; i++)
                {
                    CheckReach(context, rule.Policy, $"{term.Path}[{i}]", term.Values[i]);
                }

                CheckSlashes(context, rule, term);
            }
        }
    }

    private static void CheckReach(AnalysisContext context, AuthorizationPolicy policy, string path, string value)
    {
        if (PathReach.WhyUnreachable(value, context.Normalization) is not { } reason)
        {
            return;
        }

        var better = PathReach.Reachable(value, context.Normalization);
        context.Warning(
            policy, path, ProblemCodes.UnreachablePath, $"no request has the path `{value}`: {reason}",
            better is null ? "write the path as it is after normalisation, without query" : $"write `{better}`",
            better is not null && PathReach.IsSameSpelling(value) ? new(value, better) : null);
    }

    /// <summary>
    /// Below MERGE_SLASHES <c>//admin</c> is not <c>/admin</c>, though most backends take it for that. DENY is held against all readings unless that is
    /// switched off; an exclusion in ALLOW never is.
    /// </summary>
    private static void CheckSlashes(AnalysisContext context, AnalyzedRule rule, Term term)
    {
        if (context.Normalization >= PathNormalization.MergeSlashes || term.Values.Contains("*"))
        {
            return;
        }

        var isDeny = rule.Policy.Action == PolicyAction.Deny && !term.IsNegated && context.Mesh.DenyPathReadings == DenyPathReadingsMode.Exact;
        if (isDeny || (rule.IsAllow && term.IsNegated))
        {
            context.Warning(
                rule.Policy, term.Path, ProblemCodes.SlashBypass,
                $"a request for `//…` gets around `{term.Values[0]}`: slashes are not merged before paths are compared, and many backends merge them",
                isDeny
                    ? "set `pathNormalization: {normalization: MERGE_SLASHES}` in the mesh configuration, or leave `denyPathReadings` at All"
                    : "set `pathNormalization: {normalization: MERGE_SLASHES}` in the mesh configuration, or list what is allowed instead of what is not");
        }
    }
}
