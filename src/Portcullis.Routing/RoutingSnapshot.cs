using System.Collections.Frozen;
using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>One revision of everything that routes: listeners, virtual hosts, routes and clusters. Immutable.</summary>
public sealed class RoutingSnapshot
{
    private RoutingSnapshot(
        ImmutableArray<CompiledListener> listeners, FrozenDictionary<ClusterId, Cluster> clusters, FrozenDictionary<string, AuthorizerCluster> authorizers) =>
        (Listeners, Clusters, Authorizers) = (listeners, clusters, authorizers);

    /// <summary>Nothing to listen on.</summary>
    public static RoutingSnapshot Empty { get; } = new([], FrozenDictionary<ClusterId, Cluster>.Empty, FrozenDictionary<string, AuthorizerCluster>.Empty);

    /// <summary>One per address and port, in the order in which the Gateways name them. Those that are not
    /// <see cref="ListenerProtocol.Http"/> are there too: who cannot serve them says so.</summary>
    public ImmutableArray<CompiledListener> Listeners { get; }

    /// <summary>Every cluster that a route or an external authorizer names, and no other.</summary>
    public FrozenDictionary<ClusterId, Cluster> Clusters { get; }

    /// <summary>Where the external authorizers are, by the name of their provider; only those that a CUSTOM policy names.</summary>
    public FrozenDictionary<string, AuthorizerCluster> Authorizers { get; }

    /// <summary>Compiles all Gateways that select the workload, with what they refer to. Never throws for what a resource says.</summary>
    /// <param name="set">All resources; of the same kind the older ones win conflicts.</param>
    /// <param name="workload">The gateway's own labels and namespaces.</param>
    /// <param name="mesh">Mesh-wide settings.</param>
    /// <param name="ports">Declared ports to ports to bind.</param>
    /// <param name="problems">Receives the findings: errors where something is left out, warnings for what answers 503 or lost a conflict.</param>
    public static RoutingSnapshot Compile(ResourceSet set, WorkloadIdentity workload, MeshConfig mesh, PortMap ports, ICollection<Problem> problems)
    {
        var reporter = new ProblemReporter(problems);
        var clusters = new ClusterCompiler(set, workload, mesh.Traffic, new LocalityPlanner(workload, mesh), reporter);
        var services = new VirtualServiceIndex(set, workload, mesh.Traffic, reporter);
        var listeners = new ListenerCompiler(
            set, workload, ports, services, new(clusters, workload, mesh.Traffic, reporter), new(services, clusters, workload, reporter), reporter).Compile();
        var authorizers = AuthorizerClusters.Compile(set, mesh, clusters);
        return new(listeners, clusters.ToFrozen(), authorizers);
    }
}
