namespace Portcullis.Resources.Analysis;

/// <summary>Policies that do not reach this gateway (authorization.md §2), and providers that do not exist.</summary>
internal static class PolicyAnalysis
{
    private const string GatewayNameLabel = "gateway.networking.k8s.io/gateway-name";

    public static void Run(ResourceIndex index, List<Problem> problems)
    {
        foreach (var policy in index.Set.OfType<RequestAuthentication>())
        {
            Reach(index, policy, policy.Selection, problems);
        }

        var providers = index.Set.Mesh.ExtensionProviders;
        foreach (var policy in index.Set.OfType<AuthorizationPolicy>())
        {
            Reach(index, policy, policy.Selection, problems);
            if (policy.Action is PolicyAction.Custom && !providers.Any(p => p.Name == policy.ProviderName))
            {
                problems.Add(Problem.At(policy, "spec.provider.name", ProblemSeverity.Error, ProblemCodes.DanglingReference,
                    $"the mesh configuration has no external authorizer `{policy.ProviderName}`; every request that matches the policy is denied",
                    providers.IsEmpty ? "give the mesh configuration with --mesh-config" : $"its providers: {string.Join(", ", providers.Select(p => p.Name))}"));
            }
        }
    }

    private static void Reach(ResourceIndex index, Resource policy, WorkloadSelection selection, List<Problem> problems)
    {
        var workload = index.Workload;
        if (policy.Metadata.Namespace != workload.Namespace && policy.Metadata.Namespace != workload.RootNamespace)
        {
            problems.Add(Problem.At(policy, "metadata.namespace", ProblemSeverity.Warning, ProblemCodes.NotSelected,
                $"the policy is in `{policy.Metadata.Namespace}` and does not reach the gateway",
                workload.Namespace == workload.RootNamespace ? $"move it to the gateway's namespace `{workload.Namespace}`" : $"move it to the gateway's namespace `{workload.Namespace}` or the root namespace `{workload.RootNamespace}`"));
        }
        else if (!selection.TargetRefs.IsEmpty && !workload.Labels.ContainsKey(GatewayNameLabel))
        {
            problems.Add(Problem.At(policy, "spec.targetRefs", ProblemSeverity.Warning, ProblemCodes.NotSelected,
                $"targetRefs do not reach a gateway without the label {GatewayNameLabel}", "use a selector"));
        }
        else if (selection.MatchLabels is { } labels && !index.Selects(labels))
        {
            problems.Add(Problem.At(policy, "spec.selector", ProblemSeverity.Note, ProblemCodes.NotSelected,
                $"the selector does not select this gateway ({string.Join(",", workload.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"))})",
                "change the selector, or start the gateway with --labels"));
        }
    }
}
