using Portcullis.Resources.Reading;

namespace Portcullis.Resources.Analysis;

/// <summary>Where routes lead: hosts, ports and subsets that exist (routing.md §2.5).</summary>
internal static class DestinationAnalysis
{
    public static void Run(ResourceIndex index, List<Problem> problems)
    {
        foreach (var service in index.Set.OfType<VirtualService>())
        {
            for (var i = 0; i < service.Http.Length; i++)
            {
                var rule = service.Http[i];
                for (var j = 0; j < rule.Route.Length; j++)
                {
                    Check(index, service, rule.Route[j].Destination, $"spec.http[{i}].route[{j}].destination", problems);
                }

                for (var j = 0; j < rule.Mirrors.Length; j++)
                {
                    var path = service.Origin.Locate($"spec.http[{i}].mirrors") == service.Origin.Locate($"spec.http[{i}]") ? "mirror" : $"mirrors[{j}].destination";
                    Check(index, service, rule.Mirrors[j].Destination, $"spec.http[{i}].{path}", problems, "nothing is mirrored");
                }
            }

            for (var i = 0; i < service.Tls.Length; i++)
            {
                CheckAll(index, service, service.Tls[i].Route, $"spec.tls[{i}]", problems);
            }

            for (var i = 0; i < service.Tcp.Length; i++)
            {
                CheckAll(index, service, service.Tcp[i].Route, $"spec.tcp[{i}]", problems);
            }
        }

        foreach (var rule in index.Set.OfType<DestinationRule>())
        {
            var host = index.Qualify(rule.Host, rule.Metadata.Namespace);
            if (!host.StartsWith('*') && index.Host(host) is null)
            {
                problems.Add(Problem.At(rule, "spec.host", ProblemSeverity.Warning, ProblemCodes.DanglingReference, $"no Service or ServiceEntry is called `{host}`", Near(index, host)));
            }
        }
    }

    private static void CheckAll(ResourceIndex index, VirtualService service, IReadOnlyList<RouteDestination> routes, string path, List<Problem> problems)
    {
        for (var j = 0; j < routes.Count; j++)
        {
            Check(index, service, routes[j].Destination, $"{path}.route[{j}].destination", problems);
        }
    }

    private static void Check(ResourceIndex index, VirtualService service, Destination destination, string path, List<Problem> problems, string effect = "the route answers 503")
    {
        var host = index.Qualify(destination.Host, service.Metadata.Namespace);
        if (index.Host(host) is not { } known)
        {
            Error(service, $"{path}.host", $"no Service or ServiceEntry is called `{host}`; {effect}", Near(index, host), problems);
            return;
        }

        if (destination.Port is { } port && !known.Ports.IsEmpty && !known.Ports.Contains(port))
        {
            Error(service, $"{path}.port.number", $"`{host}` has no port {port}; {effect}", $"its ports: {string.Join(", ", known.Ports)}", problems);
        }
        else if (destination.Port is null && known.Ports.Length > 1)
        {
            problems.Add(Problem.At(service, path, ProblemSeverity.Warning, ProblemCodes.DanglingReference, $"`{host}` has several ports; without one the port of the Gateway's server is taken",
                $"add port.number, one of {string.Join(", ", known.Ports)}"));
        }

        if (!string.IsNullOrEmpty(destination.Subset) && !index.RulesFor(host).Any(r => r.Subsets.Any(s => s.Name == destination.Subset)))
        {
            var names = index.RulesFor(host).SelectMany(r => r.Subsets).Select(s => s.Name).ToList();
            Error(service, $"{path}.subset", $"no DestinationRule defines the subset `{destination.Subset}` of `{host}`; {effect}",
                names.Count == 0 ? $"add a DestinationRule for `{host}`" : $"its subsets: {string.Join(", ", names)}", problems);
        }
    }

    private static void Error(Resource resource, string path, string message, string remedy, List<Problem> problems) =>
        problems.Add(Problem.At(resource, path, ProblemSeverity.Error, ProblemCodes.DanglingReference, message, remedy));

    private static string Near(ResourceIndex index, string host)
    {
        var expanded = $"{host}.svc.{index.Workload.ClusterDomain}";
        if (index.Host(expanded) is not null)
        {
            return $"a name with a dot is not expanded; write `{expanded}`";
        }

        return FieldName.Nearest(host, index.Hosts) is { } near ? $"did you mean `{near}`?" : "add the Service, or correct the name";
    }
}
