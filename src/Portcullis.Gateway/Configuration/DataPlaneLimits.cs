using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Configuration;

/// <summary>
/// Says what the resources ask for and the data plane does not do in this version, so that nothing is left out in silence. What would be unsafe
/// to leave out is not served at all; each message says which.
/// </summary>
internal static class DataPlaneLimits
{
    public static void Report(RoutingSnapshot routing, ResourceSet resources, ICollection<Problem> problems)
    {
        ReportTcp(routing, problems);
        foreach (var cluster in routing.Clusters.Values)
        {
            ReportCluster(cluster, resources, problems);
        }
    }

    private static void ReportTcp(RoutingSnapshot routing, ICollection<Problem> problems)
    {
        var forwards = routing.Listeners.SelectMany(l => l.TlsChains.Select(c => (c.Server, c.Tcp)).Append((l.Servers[0], l.Tcp)));
        foreach (var (server, action) in forwards)
        {
            foreach (var cluster in (action?.Destinations ?? []).Select(d => d.Cluster).OfType<Cluster>().Where(AcceptsAnyName))
            {
                Add(
                    problems,
                    server.Gateway,
                    server.FieldPath,
                    $"the DestinationRule for `{cluster.Name}` asks for TLS, but TCP has no Host to compare with: any certificate of its authorities is accepted",
                    "write `subjectAltNames` in the DestinationRule's `tls`");
            }
        }
    }

    private static bool AcceptsAnyName(Cluster cluster) =>
        cluster.Policy.Tls is { InsecureSkipVerify: false, SubjectAltNames.IsEmpty: true } && cluster.SubjectAltNames.IsEmpty;

    private static void ReportCluster(Cluster cluster, ResourceSet resources, ICollection<Problem> problems)
    {
        if (cluster.Policy.ConnectionPool.MaxRequestsPerConnection is > 1 and < int.MaxValue && (cluster.Policy.Tls is not null || cluster.Protocol != UpstreamProtocol.Http1))
        {
            Report("`maxRequestsPerConnection` above 1 is served over HTTP/1.1 in clear only: connections to it are kept until they are idle");
        }

        if (cluster.Policy.ConnectionPool.MaxConcurrentStreams < int.MaxValue)
        {
            Report("`maxConcurrentStreams` is not served by this version: a connection carries as many as the backend allows");
        }

        void Report(string message) => Add(problems, resources.All.First(r => r.Id == cluster.Source), "", $"{message} (`{cluster.Name}`)", null);
    }

    private static void Add(ICollection<Problem> problems, Resource resource, string fieldPath, string message, string? remedy) =>
        problems.Add(Problem.At(resource, fieldPath, ProblemSeverity.Warning, ProblemCodes.Unsupported, message, remedy));
}
