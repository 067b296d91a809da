using System.Collections.Immutable;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>What Istio reads from a workload's labels for its metrics.</summary>
internal static class WorkloadLabels
{
    public const string CanonicalName = "service.istio.io/canonical-name";

    /// <summary><c>canonical_service</c>.</summary>
    public static string Service(ImmutableDictionary<string, string> labels) => First(labels, CanonicalName, "app.kubernetes.io/name", "app") ?? SourceLabels.Unknown;

    /// <summary><c>canonical_revision</c>; <c>latest</c> where the labels name none, as in Istio.</summary>
    public static string Revision(ImmutableDictionary<string, string> labels) =>
        First(labels, "service.istio.io/canonical-revision", "app.kubernetes.io/version", "version") ?? "latest";

    /// <summary>The Deployment of a Pod: its name before the template's hash. Names of Pods would make series without bound.</summary>
    public static string Workload(string? pod, ImmutableDictionary<string, string> labels)
    {
        if (pod is null || labels.GetValueOrDefault("pod-template-hash") is not { Length: > 0 } hash)
        {
            return SourceLabels.Unknown;
        }

        var end = pod.LastIndexOf($"-{hash}-", StringComparison.Ordinal);
        return end > 0 ? pod[..end] : SourceLabels.Unknown;
    }

    private static string? First(ImmutableDictionary<string, string> labels, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (labels.GetValueOrDefault(name) is { Length: > 0 } value)
            {
                return value;
            }
        }

        return null;
    }
}
