using System.Collections.Frozen;
using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>What a route's destination comes to.</summary>
/// <param name="Name">Cluster name, known or not.</param>
/// <param name="Cluster">The cluster; <see langword="null"/> when host, port or subset is unknown.</param>
/// <param name="Field">Field of the destination that names something unknown.</param>
/// <param name="Reason">Why there is no cluster.</param>
internal readonly record struct ResolvedDestination(string Name, Cluster? Cluster, string? Field = null, string? Reason = null);

/// <summary>Makes the clusters that routes name, each once (routing.md §2.5, §3–§5).</summary>
internal sealed class ClusterCompiler(ResourceSet set, WorkloadIdentity workload, MeshTraffic mesh, LocalityPlanner localities, ProblemReporter problems)
{
    /// <summary>ExternalName Services that point at each other end here.</summary>
    private const int MaxAliases = 8;

    private readonly ServiceRegistry _services = new(set, workload, mesh.ServiceExportTo);
    private readonly EndpointCatalog _endpoints = new(set, localities.Own.Region, problems);
    private readonly DestinationRules _rules = new(set.OfType<DestinationRule>(), workload, mesh.DestinationRuleExportTo);
    private readonly Dictionary<ClusterId, Cluster> _clusters = [];

    /// <param name="destination">Its host already expanded.</param>
    /// <param name="ownNamespace">Of the VirtualService: goes before others that define the host.</param>
    /// <param name="declaredPort">The Gateway server's, for a service of several ports.</param>
    public ResolvedDestination Resolve(Destination destination, string ownNamespace, int declaredPort)
    {
        var host = destination.Host;
        var subset = string.IsNullOrEmpty(destination.Subset) ? null : destination.Subset;
        var service = _services.Find(host, ownNamespace);
        ServiceHost? alias = null;
        for (var i = 0; service?.ExternalName is { } target && i < MaxAliases; i++)
        {
            alias ??= service;
            host = target.ToLowerInvariant();
            service = _services.Find(host, ownNamespace);
        }

        var port = destination.Port ?? ((alias ?? service) is { Ports: [var only] } ? only.Number : declaredPort);
        var name = Cluster.NameOf(host, port, subset);
        if (service is null or { ExternalName: not null })
        {
            return alias is not null && service is null
                ? ResolveExternalName(alias, host, port, subset, name)
                : new(name, null, "host", $"`{destination.Host}` is no Service or ServiceEntry that the gateway sees");
        }

        if (!service.TryGetPort(port, out var found))
        {
            return new(name, null, destination.Port is null ? "host" : "port.number", $"`{host}` has no port {port}");
        }

        var rule = _rules.Find(host, service.Namespace);
        return HasSubset(rule, subset)
            ? new(name, ClusterOf(service, found, rule, subset, name))
            : new(name, null, "subset", $"no DestinationRule in effect for `{host}` has a subset `{subset}`");
    }

    /// <summary>Namespaces that define a host.</summary>
    public ImmutableArray<string> NamespacesOf(string host) => _services.NamespacesOf(host);

    public FrozenDictionary<ClusterId, Cluster> ToFrozen() => _clusters.ToFrozenDictionary();

    private Cluster ClusterOf(ServiceHost service, ServiceHostPort port, DestinationRules.Merged? rule, string? subset, string name)
    {
        var id = new ClusterId(name, service.Namespace);
        if (_clusters.TryGetValue(id, out var known))
        {
            return known;
        }

        var endpoints = _endpoints.Of(service, port);
        if (subset is not null && rule!.TryGetSubset(subset, out var labels))
        {
            endpoints = endpoints.RemoveAll(e => !Labels.Contain(e.Labels, labels));
        }

        var policy = rule?.PolicyFor(port.Number, subset);
        var entry = service.Resource as ServiceEntry;
        var plan = localities.Plan(endpoints, policy, service.Resource);
        return Add(new()
        {
            Name = name,
            Host = service.Host,
            Namespace = service.Namespace,
            Source = service.Resource.Id,
            Port = port.Number,
            Subset = subset ?? "",
            Protocol = ProtocolOf(port, policy?.ConnectionPool ?? mesh.ConnectionPool),
            Resolution = entry?.Resolution switch
            {
                ServiceEntryResolution.Dns => ClusterResolution.Dns,
                ServiceEntryResolution.DnsRoundRobin => ClusterResolution.DnsRoundRobin,
                _ => ClusterResolution.Static,
            },
            Endpoints = plan.Endpoints,
            LocalityGroups = plan.Groups,
            Policy = ClusterPolicy.From(policy, mesh),
            SubjectAltNames = entry?.SubjectAltNames ?? [],
        });
    }

    /// <summary>A name outside of everything known is resolved by DNS. An ExternalName Service need not list ports; one that does is taken at its word.</summary>
    private ResolvedDestination ResolveExternalName(ServiceHost alias, string host, int port, string? subset, string name)
    {
        if (!alias.TryGetPort(port, out var declared) && !alias.Ports.IsEmpty)
        {
            return new(name, null, "port.number", $"`{alias.Host}` has no port {port}");
        }

        var rule = _rules.Find(host, alias.Namespace);
        if (!HasSubset(rule, subset))
        {
            return new(name, null, "subset", $"no DestinationRule in effect for `{host}` has a subset `{subset}`");
        }

        if (_clusters.TryGetValue(new(name, alias.Namespace), out var known))
        {
            return new(name, known);
        }

        var policy = rule?.PolicyFor(port, subset);
        var address = HostName.TryParseAddress(host, out var ip) ? ip : null;
        return new(name, Add(new()
        {
            Name = name,
            Host = host,
            Namespace = alias.Namespace,
            Source = alias.Resource.Id,
            Port = port,
            Subset = subset ?? "",
            Protocol = ProtocolOf(declared, policy?.ConnectionPool ?? mesh.ConnectionPool),
            Resolution = address is null ? ClusterResolution.Dns : ClusterResolution.Static,
            Endpoints = subset is null ? [new() { Address = host, Port = port, IPAddress = address }] : [],
            Policy = ClusterPolicy.From(policy, mesh),
        }));
    }

    private Cluster Add(Cluster cluster)
    {
        if (cluster.Policy.Tls is { Mode: ClientTlsMode.IstioMutual })
        {
            problems.Warning(
                set.All.First(r => r.Id == cluster.Source), "spec", ProblemCodes.Unsupported,
                $"the DestinationRule for `{cluster.Host}` asks for `ISTIO_MUTUAL`, but the gateway has no mesh certificate; connections to it fail",
                "use `SIMPLE` or `MUTUAL`");
        }

        _clusters.Add(cluster.Id, cluster);
        return cluster;
    }

    private static bool HasSubset(DestinationRules.Merged? rule, string? subset) => subset is null || rule?.TryGetSubset(subset, out _) == true;

    private UpstreamProtocol ProtocolOf(ServiceHostPort declared, ConnectionPoolSettings? pool) => pool switch
    {
        { UseClientProtocol: true } => UpstreamProtocol.SameAsClient,
        { H2UpgradePolicy: "UPGRADE" } => UpstreamProtocol.Http2,
        { H2UpgradePolicy: "DO_NOT_UPGRADE" } => declared.Protocol,
        _ => mesh.UpgradesToHttp2 && declared.IsHttp ? UpstreamProtocol.Http2 : declared.Protocol,
    };
}
