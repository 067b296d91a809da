using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Collects the virtual hosts of one route table: VirtualServices that yield the same name share it (routing.md §2.2).</summary>
internal sealed class VirtualHostBuilder(VirtualServiceIndex services, RouteCompiler routes)
{
    private readonly Dictionary<string, Entry> _byDomain = new(StringComparer.Ordinal);
    private readonly List<Entry> _inOrder = [];

    /// <summary>Adds what a server serves; servers come in the order of merging.</summary>
    public void Add(ListenerServer server, ServerHosts hosts, bool isTls)
    {
        var requiresHttps = !isTls && server.Server.Tls is { HttpsRedirect: true };
        if (requiresHttps)
        {
            foreach (var name in hosts.Names)
            {
                Of(name).RequiresHttps = true;
            }
        }

        var scope = new RouteScope(VirtualServiceIndex.GatewayId(server.Gateway), server.Server.Port.Number, isTls);
        foreach (var service in services.BoundTo(scope.GatewayId))
        {
            var names = hosts.Intersect(service);
            if (names.Count == 0 || routes.Compile(service, scope) is not { IsEmpty: false } compiled)
            {
                continue;
            }

            foreach (var name in names)
            {
                var entry = Of(name);
                entry.RequiresHttps |= requiresHttps;
                entry.Add(service.Resource, scope, compiled);
            }
        }
    }

    public VirtualHostTable Build() =>
        _inOrder.Count == 0 ? VirtualHostTable.Empty : new([.. _inOrder.Select(e => new VirtualHost(e.Domain, e.RequiresHttps, e.Routes()))]);

    private Entry Of(string domain)
    {
        if (!_byDomain.TryGetValue(domain, out var entry))
        {
            _byDomain.Add(domain, entry = new(domain));
            _inOrder.Add(entry);
        }

        return entry;
    }

    private sealed class Entry(string domain)
    {
        private readonly List<(VirtualService Service, RouteScope Scope, ImmutableArray<CompiledRoute> Routes)> _parts = new(1);

        public string Domain { get; } = domain;

        public bool RequiresHttps { get; set; }

        /// <summary>Two servers of a Gateway on one port give the same routes; a second copy could never be reached.</summary>
        public void Add(VirtualService service, RouteScope scope, ImmutableArray<CompiledRoute> routes)
        {
            if (!_parts.Exists(p => ReferenceEquals(p.Service, service) && p.Scope == scope))
            {
                _parts.Add((service, scope, routes));
            }
        }

        /// <summary>Routes that match everything go to the end, otherwise the order stays. One part alone already is so.</summary>
        public ImmutableArray<CompiledRoute> Routes() => _parts switch
        {
            [] => [],
            [var only] => only.Routes,
            _ => [.. _parts.SelectMany(p => p.Routes).OrderBy(r => r.IsCatchAll)],
        };
    }
}
