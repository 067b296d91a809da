using System.Globalization;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Rules about HTTP on ports that are not HTTP (authorization.md §7.3).</summary>
internal static class TcpAnalysis
{
    public static void Run(AnalysisContext context)
    {
        var tcp = context.Ports.Where(p => p.IsTcp && !p.IsHttp).Select(p => p.Bound).ToHashSet();
        if (tcp.Count == 0)
        {
            return;
        }

        foreach (var rule in context.Rules)
        {
            CheckPorts(context, rule, tcp);
            if (rule.Policy.Action == PolicyAction.Deny && rule.Terms.ToList() is { Count: > 0 } terms && terms.TrueForAll(t => t.Key.IsHttpOnly))
            {
                context.Warning(
                    rule.Policy, rule.Path, ProblemCodes.DenyClosesTcp,
                    $"this also denies every connection to the TCP port {tcp.Min()}: what a rule says about HTTP is not looked at there, and nothing else is left of it",
                    "add `ports` with the HTTP ports to the operations");
            }
        }
    }

    private static void CheckPorts(AnalysisContext context, AnalyzedRule rule, HashSet<int> tcp)
    {
        foreach (var operation in rule.To)
        {
            var ports = Array.Find(operation, t => t is { Kind: AttributeKind.LocalPort, IsNegated: false });
            if (ports is not null
                && ports.Values.All(v => int.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && tcp.Contains(port))
                && operation.Concat(rule.When).FirstOrDefault(t => t.Key.IsHttpOnly) is { } http)
            {
                context.Warning(
                    rule.Policy, http.Path, ProblemCodes.HttpFieldOnTcp, $"port {ports.Values[0]} is TCP and has no `{http.Field}`: {(rule.IsAllow ? "the rule allows nothing there" : "the rest of the rule denies without it")}",
                    "remove the field for TCP ports, and give HTTP ports a rule of their own");
            }
        }
    }
}
