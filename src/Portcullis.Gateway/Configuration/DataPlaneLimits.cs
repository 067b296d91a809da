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
        foreach (var server in routing.Listeners.Where(l => l.Protocol != ListenerProtocol.Http).SelectMany(l => l.Servers))
        {
            Add(
                problems,
                server.Gateway,
                $"{server.FieldPath}.port.protocol",
                $"protocol `{server.Server.Port.Protocol}` is not served by this version: the port is not opened",
                "use protocol HTTP, with TLS terminated in front of the gateway");
        }

        foreach (var cluster in routing.Clusters.Values)
        {
            ReportCluster(cluster, resources, problems);
        }
    }

    private static void ReportCluster(Cluster cluster, ResourceSet resources, ICollection<Problem> problems)
    {
        if (cluster.Policy.Tls is { CaCrl.Length: > 0 })
        {
            Report("`tls.caCrl` is not served by this version: connections to it fail, as nothing could be refused by the list");
        }

        if (cluster.Policy.ConnectionPool.MaxRequestsPerConnection is > 1 and < int.MaxValue)
        {
            Report("`maxRequestsPerConnection` above 1 is not served by this version: connections are kept until they are idle");
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
