using Portcullis.Routing;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>
/// Where requests went, in the labels of Istio's standard metrics. Only from the configuration; Pods of one Deployment share one value, and so
/// do all revisions of the configuration that agree.
/// </summary>
internal sealed record DestinationLabels
{
    /// <summary>No backend was chosen.</summary>
    public static DestinationLabels None { get; } = new();

    public string Workload { get; private init; } = SourceLabels.Unknown;

    public string WorkloadNamespace { get; private init; } = SourceLabels.Unknown;

    public string App { get; private init; } = SourceLabels.Unknown;

    public string Version { get; private init; } = SourceLabels.Unknown;

    public string Service { get; private init; } = SourceLabels.Unknown;

    public string ServiceName { get; private init; } = SourceLabels.Unknown;

    public string ServiceNamespace { get; private init; } = SourceLabels.Unknown;

    public string CanonicalService { get; private init; } = SourceLabels.Unknown;

    public string CanonicalRevision { get; private init; } = SourceLabels.Unknown;

    /// <summary>The service, before an endpoint is chosen.</summary>
    public static DestinationLabels Of(Cluster cluster) => new()
    {
        Service = cluster.Host,
        ServiceName = NameOf(cluster.Host),
        ServiceNamespace = cluster.Namespace,
    };

    /// <summary>The service with what an endpoint's labels say.</summary>
    public static DestinationLabels Of(Cluster cluster, ClusterEndpoint endpoint) => endpoint.Labels.IsEmpty ? Of(cluster) : Of(cluster) with
    {
        Workload = WorkloadLabels.Workload(endpoint.Workload, endpoint.Labels),
        WorkloadNamespace = cluster.Namespace,
        App = endpoint.Labels.GetValueOrDefault("app") ?? SourceLabels.Unknown,
        Version = endpoint.Labels.GetValueOrDefault("version") ?? SourceLabels.Unknown,
        CanonicalService = WorkloadLabels.Service(endpoint.Labels),
        CanonicalRevision = WorkloadLabels.Revision(endpoint.Labels),
    };

    /// <summary>The labels from <c>destination_workload</c> to <c>destination_cluster</c>.</summary>
    public void AddTo(LabelText labels)
    {
        labels.Add("destination_workload", Workload);
        labels.Add("destination_workload_namespace", WorkloadNamespace);
        labels.Add("destination_principal", SourceLabels.Unknown);
        labels.Add("destination_app", App);
        labels.Add("destination_version", Version);
        labels.Add("destination_service", Service);
        labels.Add("destination_canonical_service", CanonicalService);
        labels.Add("destination_canonical_revision", CanonicalRevision);
        labels.Add("destination_service_name", ServiceName);
        labels.Add("destination_service_namespace", ServiceNamespace);
        labels.Add("destination_cluster", SourceLabels.Unknown);
    }

    /// <summary>A Kubernetes service goes by its short name, any other by its host.</summary>
    private static string NameOf(string host) =>
        host.Contains(".svc.", StringComparison.Ordinal) ? host[..host.IndexOf('.', StringComparison.Ordinal)] : host;
}
