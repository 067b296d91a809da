namespace Portcullis.Resources.Analysis;

/// <summary>What a VirtualService is bound to: gateways, their hosts, delegates, visibility (routing.md §2.1, §2.15).</summary>
internal static class VirtualServiceAnalysis
{
    public static void Run(ResourceIndex index, List<Problem> problems)
    {
        var delegates = new HashSet<(string, string)>();
        var used = new HashSet<ResourceId>();
        foreach (var service in index.Set.OfType<VirtualService>())
        {
            Gateways(index, service, used, problems);
            for (var i = 0; i < service.Http.Length; i++)
            {
                if (service.Http[i].Delegate is { } reference)
                {
                    var ns = reference.Namespace ?? service.Metadata.Namespace;
                    delegates.Add((ns, reference.Name));
                    if (index.VirtualService(ns, reference.Name) is not { } target)
                    {
                        problems.Add(Problem.At(service, $"spec.http[{i}].delegate", ProblemSeverity.Error, ProblemCodes.DanglingReference,
                            $"VirtualService {ns}/{reference.Name} not found; this rule is dropped", "add it, or correct name and namespace"));
                    }
                    else if (!target.Hosts.IsEmpty)
                    {
                        problems.Add(Problem.At(service, $"spec.http[{i}].delegate", ProblemSeverity.Error, ProblemCodes.DanglingReference,
                            $"VirtualService {ns}/{reference.Name} has hosts and is no delegate; this rule is dropped", "remove hosts and gateways from it"));
                    }
                }
            }
        }

        foreach (var service in index.Set.OfType<VirtualService>())
        {
            if (service.Hosts.IsEmpty && !delegates.Contains((service.Metadata.Namespace, service.Metadata.Name)))
            {
                problems.Add(Problem.At(service, "metadata.name", ProblemSeverity.Warning, ProblemCodes.NotSelected, "no VirtualService delegates to this one", "add hosts and gateways, or a delegate reference"));
            }
        }

        foreach (var gateway in index.Set.OfType<Gateway>())
        {
            if (index.Selects(gateway.Selector) && !used.Contains(gateway.Id))
            {
                problems.Add(Problem.At(gateway, "metadata.name", ProblemSeverity.Note, ProblemCodes.NotSelected, "no VirtualService is bound to this Gateway: every request gets 404",
                    $"add gateways: [{gateway.Metadata.Namespace}/{gateway.Metadata.Name}] to a VirtualService"));
            }
        }
    }

    private static void Gateways(ResourceIndex index, VirtualService service, HashSet<ResourceId> used, List<Problem> problems)
    {
        if (service.Hosts.IsEmpty)
        {
            return;
        }

        if (service.Gateways.IsEmpty)
        {
            problems.Add(Problem.At(service, "spec", ProblemSeverity.Warning, ProblemCodes.NotSelected, "without gateways it is for the mesh only and not used by this gateway", "add gateways"));
        }

        if (!index.IsVisible(service.ExportTo, service.Metadata.Namespace))
        {
            problems.Add(Problem.At(service, "spec.exportTo", ProblemSeverity.Warning, ProblemCodes.NotSelected,
                $"exportTo hides it from the gateway's namespace `{index.Workload.Namespace}`", "add the namespace, or remove exportTo"));
        }

        for (var i = 0; i < service.Gateways.Length; i++)
        {
            var (ns, name) = Split(service.Gateways[i], service.Metadata.Namespace);
            if (name == "mesh")
            {
                continue;
            }

            if (index.Gateway(ns, name) is not { } gateway)
            {
                problems.Add(Problem.At(service, $"spec.gateways[{i}]", ProblemSeverity.Error, ProblemCodes.DanglingReference, $"Gateway {ns}/{name} not found",
                    index.Set.OfType<Gateway>().FirstOrDefault(g => g.Metadata.Name == name) is { } other
                        ? $"did you mean `{other.Metadata.Namespace}/{name}`?" : "add the Gateway, or correct the name"));
                continue;
            }

            used.Add(gateway.Id);
            if (!gateway.Servers.Any(s => s.Hosts.Any(h => service.Hosts.Any(v => Overlaps(h, service, index.Qualify(v, service.Metadata.Namespace), gateway)))))
            {
                problems.Add(Problem.At(service, "spec.hosts", ProblemSeverity.Warning, ProblemCodes.NotSelected, $"none of the hosts is served by {gateway.Id}",
                    "add the host to the Gateway's server; a name without a dot means a Kubernetes Service"));
            }
        }
    }

    private static (string Namespace, string Name) Split(string gateway, string ns)
    {
        var slash = gateway.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            return (gateway[..slash] == "." ? ns : gateway[..slash], gateway[(slash + 1)..]);
        }

        var parts = gateway.Split('.');
        return parts.Length > 2 && parts[2] == "svc" ? (parts[1], parts[0]) : (ns, gateway);
    }

    private static bool Overlaps(string serverHost, VirtualService service, string host, Gateway gateway)
    {
        var slash = serverHost.IndexOf('/', StringComparison.Ordinal);
        var scope = slash < 0 ? "*" : serverHost[..slash];
        scope = scope == "." ? gateway.Metadata.Namespace : scope;
        return (scope == "*" || scope == service.Metadata.Namespace) && (Covers(serverHost[(slash + 1)..], host) || Covers(host, serverHost[(slash + 1)..]));
    }

    private static bool Covers(string pattern, string host) =>
        pattern == "*" || string.Equals(pattern, host, StringComparison.OrdinalIgnoreCase)
        || (pattern.StartsWith('*') && host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase));
}
