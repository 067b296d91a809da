using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>The labels that say who reports: this gateway, from its own labels and namespace.</summary>
internal static class SourceLabels
{
    /// <summary>Where Istio knows nothing it says so.</summary>
    public const string Unknown = "unknown";

    /// <summary>The labels of Istio's standard metrics up to <c>source_cluster</c>.</summary>
    public static string Render(WorkloadIdentity workload)
    {
        var labels = new LabelText();
        labels.Add("reporter", "source");
        labels.Add("source_workload", workload.Labels.GetValueOrDefault(WorkloadLabels.CanonicalName) ?? workload.Labels.GetValueOrDefault("app") ?? Unknown);
        labels.Add("source_canonical_service", WorkloadLabels.Service(workload.Labels));
        labels.Add("source_canonical_revision", WorkloadLabels.Revision(workload.Labels));
        labels.Add("source_workload_namespace", workload.Namespace);
        labels.Add("source_principal", Unknown);
        labels.Add("source_app", workload.Labels.GetValueOrDefault("app") ?? Unknown);
        labels.Add("source_version", workload.Labels.GetValueOrDefault("version") ?? Unknown);
        labels.Add("source_cluster", Unknown);
        return labels.ToString();
    }
}
