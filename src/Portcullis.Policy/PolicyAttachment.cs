using Portcullis.Resources;

namespace Portcullis.Policy;

/// <summary>
/// Which policies reach this gateway; the same for AuthorizationPolicy and RequestAuthentication (authorization.md §2). There is no precedence between the
/// scopes: all policies that apply are pooled.
/// </summary>
public static class PolicyAttachment
{
    private const string GatewayApiGroup = "gateway.networking.k8s.io";

    /// <summary>The label that Gateway API implementations put on a gateway's workload.</summary>
    public const string GatewayNameLabel = GatewayApiGroup + "/gateway-name";

    /// <summary>Whether a policy applies to a gateway workload.</summary>
    /// <param name="policy">The policy; only its namespace counts.</param>
    /// <param name="selection">How the policy is attached.</param>
    /// <param name="workload">The gateway.</param>
    public static bool AppliesTo(Resource policy, WorkloadSelection selection, WorkloadIdentity workload)
    {
        var policyNamespace = policy.Metadata.Namespace;
        if (policyNamespace != workload.Namespace && policyNamespace != workload.RootNamespace)
        {
            return false;
        }

        return selection.TargetRefs.IsDefaultOrEmpty ? IsSelected(selection, workload) : IsTargeted(policyNamespace, selection, workload);
    }

    private static bool IsSelected(WorkloadSelection selection, WorkloadIdentity workload)
    {
        foreach (var (key, value) in selection.MatchLabels ?? [])
        {
            if (!workload.Labels.TryGetValue(key, out var actual) || actual != value)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A reference reaches no gateway of another namespace, not even from the root namespace, and no classic ingress gateway.</summary>
    private static bool IsTargeted(string policyNamespace, WorkloadSelection selection, WorkloadIdentity workload)
    {
        if (policyNamespace != workload.Namespace || !workload.Labels.TryGetValue(GatewayNameLabel, out var gatewayName))
        {
            return false;
        }

        foreach (var target in selection.TargetRefs)
        {
            if (target is { Group: GatewayApiGroup, Kind: "Gateway" }
                && target.Name == gatewayName
                && (string.IsNullOrEmpty(target.Namespace) || target.Namespace == policyNamespace))
            {
                return true;
            }
        }

        return false;
    }
}
