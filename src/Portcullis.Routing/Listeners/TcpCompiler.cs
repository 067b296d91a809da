using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Compiles <c>tls</c> and <c>tcp</c> rules of VirtualServices (routing.md §2.16).</summary>
internal sealed class TcpCompiler(VirtualServiceIndex services, ClusterCompiler clusters, WorkloadIdentity workload, ProblemReporter problems)
{
    /// <summary>The first TCP rule of any VirtualService of the server that applies.</summary>
    public TcpForwardAction? Forward(ListenerServer server, ServerHosts hosts)
    {
        foreach (var service in services.BoundTo(VirtualServiceIndex.GatewayId(server.Gateway)).Where(s => hosts.Intersect(s).Count > 0))
        {
            var rules = service.Resource.Tcp;
            for (var i = 0; i < rules.Length; i++)
            {
                if ((rules[i].Match.IsEmpty || rules[i].Match.Any(m => Applies(m, service, server)))
                    && Compile(rules[i].Route, service.Resource, $"spec.tcp[{i}]", server) is { } action)
                {
                    return action;
                }
            }
        }

        return null;
    }

    /// <summary>A chain for every <c>tls</c> match; a server name that an older rule already has is left out.</summary>
    public IEnumerable<TlsChain> PassThrough(ListenerServer server, ServerHosts hosts)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var service in services.BoundTo(VirtualServiceIndex.GatewayId(server.Gateway)))
        {
            var served = hosts.Intersect(service);
            for (var i = 0; i < service.Resource.Tls.Length; i++)
            {
                foreach (var match in service.Resource.Tls[i].Match.Where(m => Applies(m, service, server)))
                {
                    var names = match.SniHosts.Select(HostName.Normalize).Where(n => served.Any(s => HostName.Covers(s, n)) && taken.Add(n));
                    if (names.ToImmutableArray() is { IsEmpty: false } sni
                        && Compile(service.Resource.Tls[i].Route, service.Resource, $"spec.tls[{i}]", server) is { } action)
                    {
                        yield return new() { SniHosts = sni, Treatment = TlsTreatment.PassThrough, Settings = server.Server.Tls!, Server = server, Tcp = action };
                    }
                }
            }
        }
    }

    private bool Applies(L4Match match, BoundVirtualService service, ListenerServer server) =>
        !(match.Port is > 0 and var port && port != server.Server.Port.Number)
        && (match.Gateways.IsEmpty
            ? Labels.Contain(workload.Labels, match.SourceLabels) && (string.IsNullOrEmpty(match.SourceNamespace) || match.SourceNamespace == workload.Namespace)
            : match.Gateways.Any(g =>
                VirtualServiceIndex.ResolveGateway(g, service.Resource.Metadata.Namespace) == VirtualServiceIndex.GatewayId(server.Gateway)));

    private TcpForwardAction? Compile(ImmutableArray<RouteDestination> routes, VirtualService owner, string fieldPath, ListenerServer server)
    {
        var destinations = ImmutableArray.CreateBuilder<TcpDestination>(routes.Length);
        for (var i = 0; i < routes.Length; i++)
        {
            if (routes[i].Weight < 0 || (routes.Length > 1 && routes[i].Weight == 0))
            {
                continue;
            }

            var ns = owner.Metadata.Namespace;
            var target = clusters.Resolve(
                routes[i].Destination with { Host = HostName.Expand(routes[i].Destination.Host, ns, workload.ClusterDomain) }, ns, server.Server.Port.Number);
            if (target.Reason is { } reason)
            {
                problems.Warning(
                    owner, $"{fieldPath}.route[{i}].destination.{target.Field}", ProblemCodes.DanglingReference, $"{reason}; connections are closed");
            }

            destinations.Add(new(target.Cluster, target.Name, routes.Length > 1 ? routes[i].Weight : 1));
        }

        if (destinations.Count == 0)
        {
            problems.Error(owner, fieldPath + ".route", ProblemCodes.InvalidValue, "the rule has no destination with a weight above 0; it is left out");
            return null;
        }

        return new(destinations.ToImmutable());
    }
}
