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

        var services = resources.OfType<VirtualService>().ToDictionary(v => v.Id);
        var rules = routing.Listeners
            .SelectMany(l => l.Hosts.All)
            .SelectMany(h => h.Routes)
            .Where(r => r is { Forward: not null, VirtualService: not null })
            .DistinctBy(r => (r.VirtualService, r.RuleIndex));
        foreach (var route in rules)
        {
            ReportRoute(services[route.VirtualService!.Value], $"spec.http[{route.RuleIndex}]", route.Forward!, problems);
        }

        foreach (var cluster in routing.Clusters.Values)
        {
            ReportCluster(cluster, resources, problems);
        }
    }

    /// <summary>Whether requests may be sent to the cluster: never in clear where TLS was asked for.</summary>
    public static bool CanForward(Cluster cluster) => cluster.Policy.Tls is null;

    private static void ReportRoute(VirtualService service, string rule, ForwardAction forward, ICollection<Problem> problems)
    {
        if (!forward.Mirrors.IsEmpty)
        {
            Add(problems, service, rule, "`mirror` is not served by this version: no copies are sent", null);
        }
    }

    private static void ReportCluster(Cluster cluster, ResourceSet resources, ICollection<Problem> problems)
    {
        var owner = resources.All.First(r => r.Id == cluster.Source);
        if (!CanForward(cluster))
        {
            Add(
                problems,
                owner,
                "",
                $"a DestinationRule asks for TLS to `{cluster.Name}`, which this version does not speak to backends: requests to it are answered 503, never sent in clear",
                null);
        }

        if (cluster.Policy.LoadBalancer.Kind is LoadBalancerKind.RingHash or LoadBalancerKind.Maglev)
        {
            Add(problems, owner, "", $"`consistentHash` for `{cluster.Name}` is not served by this version: the less busy of two endpoints is taken", null);
        }

        if (cluster.Policy.OutlierDetection is not null)
        {
            Add(problems, owner, "", $"`outlierDetection` for `{cluster.Name}` is not served by this version: failing endpoints stay in use", null);
        }

        if (cluster.Policy.ConnectionPool != new ConnectionPoolLimits())
        {
            Add(problems, owner, "", $"`connectionPool` for `{cluster.Name}` is not served by this version: its limits do not apply", null);
        }
    }

    private static void Add(ICollection<Problem> problems, Resource resource, string fieldPath, string message, string? remedy) =>
        problems.Add(Problem.At(resource, fieldPath, ProblemSeverity.Warning, ProblemCodes.Unsupported, message, remedy));
}
