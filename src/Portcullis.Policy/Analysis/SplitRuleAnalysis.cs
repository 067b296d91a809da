using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>
/// The dash that opens everything: <c>- from</c> and <c>- to</c> are two rules, either of which suffices. A second rule that exempts only paths that are
/// public everywhere, as guides do it, is taken for what it is.
/// </summary>
internal static class SplitRuleAnalysis
{
    private static readonly string[] PublicWords =
        ["health", "ready", "live", "ping", "status", "version", "metrics", "favicon", "robots", ".well-known", "login", "logout", "callback", "oauth", "public", "static", "assets"];

    public static void Run(AnalysisContext context)
    {
        for (var i = 1; i < context.Rules.Length; i++)
        {
            var (before, rule) = (context.Rules[i - 1], context.Rules[i]);
            if (ReferenceEquals(before.Policy, rule.Policy)
                && OnlyPart(before) is { } first && OnlyPart(rule) is { } second && first != second
                && !IsExemption(before) && !IsExemption(rule))
            {
                var opens = rule.Policy.Action switch
                {
                    PolicyAction.Allow => $"what matches this `{second}` is allowed whatever its `{first}`",
                    PolicyAction.Deny => $"what matches this `{second}` is denied whatever its `{first}`",
                    _ => $"what matches this `{second}` counts whatever its `{first}`",
                };
                context.Warning(
                    rule.Policy, rule.Path, ProblemCodes.SplitRule, $"`- {first}` and `- {second}` are two rules, either of which suffices: {opens}",
                    $"remove the dash before `{second}` to make one rule of the two; if two are meant, put the second into a policy of its own");
            }
        }
    }

    private static string? OnlyPart(AnalyzedRule rule) => (rule.From.Length, rule.To.Length, rule.When.Length) switch
    {
        ( > 0, 0, 0) => "from",
        (0, > 0, 0) => "to",
        (0, 0, > 0) => "when",
        _ => null,
    };

    private static bool IsExemption(AnalyzedRule rule) => rule.To.Length > 0 && Array.TrueForAll(rule.To, operation =>
        Array.Exists(operation, t => t is { Kind: AttributeKind.Path, IsNegated: false } && t.Values.All(IsPublic)));

    private static bool IsPublic(string path) => path is "/" || PublicWords.Any(w => path.Contains(w, StringComparison.OrdinalIgnoreCase));
}
