using Portcullis.Resources;

namespace Portcullis.Policy.Diagnosis;

/// <summary>Why a policy does not reach a gateway.</summary>
internal static class Attachment
{
    public static string Explain(RequestAuthentication policy, WorkloadIdentity workload)
    {
        if (policy.Metadata.Namespace != workload.Namespace && policy.Metadata.Namespace != workload.RootNamespace)
        {
            return $"{policy.Id} does not reach this gateway: it is in namespace `{policy.Metadata.Namespace}`, the gateway in `{workload.Namespace}` (root namespace `{workload.RootNamespace}`); set --namespace, or move the policy";
        }

        return policy.Selection.TargetRefs.IsDefaultOrEmpty
            ? $"{policy.Id} does not reach this gateway: it selects {Labels(policy.Selection.MatchLabels)}, the gateway has {Labels(workload.Labels)}; set --labels, or change the selector"
            : $"{policy.Id} does not reach this gateway: its targetRefs name another one";
    }

    private static string Labels(IReadOnlyDictionary<string, string>? labels) => string.Join(",", (labels ?? new Dictionary<string, string>()).Select(l => $"{l.Key}={l.Value}").Order(StringComparer.Ordinal));
}
