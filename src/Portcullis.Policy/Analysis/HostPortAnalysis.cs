using System.Globalization;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>The Host header is compared with its port, which clients send when it is not the scheme's own, and may send when it is.</summary>
internal static class HostPortAnalysis
{
    public static void Run(AnalysisContext context)
    {
        var http = context.Ports.Where(p => p.IsHttp).ToList();
        var odd = http.SelectMany(p => p.Declared).Where(p => p is not (80 or 443)).Distinct().Order().ToList();
        var known = http.SelectMany(p => p.Declared.Append(p.Bound)).ToHashSet();
        foreach (var rule in context.Rules)
        {
            foreach (var term in rule.Terms.Where(t => t.Kind == AttributeKind.Host))
            {
                for (var i = 0; i < term.Values.Length; i++)
                {
                    CheckSent(context, rule.Policy, $"{term.Path}[{i}]", term.Values[i], known);
                    CheckUnported(context, rule, term, i, odd);
                }
            }
        }
    }

    /// <summary>A port that clients leave out, or that nobody serves.</summary>
    private static void CheckSent(AnalysisContext context, Resource policy, string path, string value, HashSet<int> known)
    {
        if (value.LastIndexOf(':') is not (> 0 and var colon)
            || !int.TryParse(value.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return;
        }

        if (port is 80 or 443)
        {
            context.Warning(
                policy, path, ProblemCodes.HostPortNeverSent, $"clients leave the port {port} out of the Host header, so `{value}` meets almost no request",
                $"write `{value[..colon]}` and `{value[..colon]}:*`");
        }
        else if (known.Count > 0 && !known.Contains(port))
        {
            context.Warning(
                policy, path, ProblemCodes.HostPortNeverSent, $"`{value}` names a port that no Gateway has, so no client sends it",
                $"the ports are {string.Join(", ", known.Order())}");
        }
    }

    /// <summary>
    /// A host without its form with a port: where a host is denied or excluded, a client dodges it by naming the port; where it is allowed, clients of an
    /// uncommon port are denied.
    /// </summary>
    private static void CheckUnported(AnalysisContext context, AnalyzedRule rule, Term term, int index, List<int> oddPorts)
    {
        var value = term.Values[index];
        if (value.Contains(':', StringComparison.Ordinal) || value.StartsWith('*') || value.EndsWith('*') || term.Values.Any(v => Ported(v, value)))
        {
            return;
        }

        var guards = rule.Policy.Action == PolicyAction.Deny ? !term.IsNegated : rule.IsAllow && term.IsNegated;
        if (guards)
        {
            context.Warning(
                rule.Policy, $"{term.Path}[{index}]", ProblemCodes.HostWithoutPort, $"a request whose Host header names a port gets around `{value}`: the port is part of what is compared",
                $"add `{value}:*`");
        }
        else if (rule.IsAllow && !term.IsNegated && oddPorts.Count > 0)
        {
            context.Note(
                rule.Policy, $"{term.Path}[{index}]", ProblemCodes.HostWithoutPort, $"clients of port {oddPorts[0]} send `{value}:{oddPorts[0]}`, which is not `{value}`",
                $"add `{value}:*`");
        }
    }

    /// <summary>Whether a value covers the host with some port.</summary>
    private static bool Ported(string value, string host) =>
        value.StartsWith(host, StringComparison.OrdinalIgnoreCase) && value.Length > host.Length && (value[host.Length] == ':' || value[host.Length] == '*');
}
