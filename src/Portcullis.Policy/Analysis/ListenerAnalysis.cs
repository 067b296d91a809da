using System.Globalization;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>Ports and hosts that no Gateway serves.</summary>
internal static class ListenerAnalysis
{
    public static void Run(AnalysisContext context)
    {
        if (!context.IsComplete || context.Ports.Count == 0 || context.Ports.Any(p => p.Bound == 0))
        {
            return;
        }

        var bound = context.Ports.Select(p => p.Bound).ToHashSet();
        var hosts = new ServedHosts(context.Ports.SelectMany(p => p.Hosts));
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms)
            {
                for (var i = 0; i < term.Values.Length; i++)
                {
                    var path = $"{term.Path}[{i}]";
                    if (term.Kind == AttributeKind.LocalPort && int.TryParse(term.Values[i], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && !bound.Contains(port))
                    {
                        ReportPort(context, rule.Policy, path, port);
                    }
                    else if (term.Kind == AttributeKind.Host && !hosts.CanMatch(term.Values[i]))
                    {
                        context.Warning(
                            rule.Policy, path, ProblemCodes.HostNotServed, $"no server of the Gateways in force has the host `{term.Values[i]}`, so no request with it gets here",
                            "correct the host, or add it to a Gateway's servers");
                    }
                }
            }
        }
    }

    private static void ReportPort(AnalysisContext context, Resource policy, string path, int port)
    {
        var really = context.Ports.FirstOrDefault(p => p.Declared.Contains(port));
        context.Warning(
            policy, path, ProblemCodes.PortNotServed,
            really is null ? $"the gateway does not listen on {port}" : $"the Gateway's port {port} is bound as {really.Bound}, and that is what is compared",
            really is null
                ? $"it listens on {string.Join(", ", context.Ports.Select(p => p.Bound).Distinct().Order())}"
                : $"write \"{really.Bound}\"");
    }
}
