namespace Portcullis.Resources.Analysis;

/// <summary>Services that nobody answers for, and endpoints that belong to no Service.</summary>
internal static class EndpointAnalysis
{
    public static void Run(ResourceIndex index, List<Problem> problems)
    {
        var services = index.Set.OfType<Service>().Select(s => (s.Metadata.Namespace, s.Metadata.Name)).ToHashSet();
        var served = new HashSet<(string, string)>();
        foreach (var slice in index.Set.OfType<EndpointSlice>())
        {
            if (slice.ServiceName is { } name)
            {
                Check(slice, name, $"metadata.labels[{EndpointSlice.ServiceNameLabel}]", !slice.Endpoints.IsEmpty);
            }
        }

        foreach (var endpoints in index.Set.OfType<Endpoints>())
        {
            Check(endpoints, endpoints.Metadata.Name, "metadata.name", endpoints.Subsets.Any(s => !s.Addresses.IsEmpty));
        }

        var workloads = index.Set.OfType<WorkloadEntry>().ToLookup(w => w.Metadata.Namespace);
        foreach (var service in index.Set.OfType<Service>())
        {
            if (service.Type != "ExternalName" && !served.Contains((service.Metadata.Namespace, service.Metadata.Name))
                && !(service.Selector.Count > 0 && workloads[service.Metadata.Namespace].Any(w => Selects(service.Selector, w))))
            {
                problems.Add(Problem.At(service, "metadata.name", ProblemSeverity.Warning, ProblemCodes.DanglingReference, "the Service has no endpoints: routes to it answer 503",
                    $"add an EndpointSlice with the label {EndpointSlice.ServiceNameLabel}: {service.Metadata.Name}"));
            }
        }

        void Check(Resource resource, string name, string path, bool serves)
        {
            var key = (resource.Metadata.Namespace, name);
            if (!services.Contains(key))
            {
                problems.Add(Problem.At(resource, path, ProblemSeverity.Warning, ProblemCodes.DanglingReference, $"Service {key.Namespace}/{name} not found: nothing uses these endpoints", "add the Service, or correct name and namespace"));
            }
            else if (serves)
            {
                served.Add(key);
            }
        }
    }

    private static bool Selects(IEnumerable<KeyValuePair<string, string>> selector, WorkloadEntry workload)
    {
        foreach (var (key, value) in selector)
        {
            if ((workload.Spec.Labels.GetValueOrDefault(key) ?? workload.Metadata.Labels.GetValueOrDefault(key)) != value)
            {
                return false;
            }
        }

        return true;
    }
}
