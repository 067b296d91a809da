using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// What is known of backends at run time, across snapshots: an address that stays keeps its counters, a name that stays keeps its addresses.
/// </summary>
internal sealed class UpstreamDirectory(DnsAddresses? dns)
{
    /// <summary>Knows no names.</summary>
    public static UpstreamDirectory Empty { get; } = new(null);

    private readonly ConcurrentDictionary<(string Cluster, string Address), UpstreamEndpoint> _endpoints = new();

    /// <summary>The table of a new snapshot. Endpoints that no cluster has any more are forgotten.</summary>
    public UpstreamTable TableFor(RoutingSnapshot routing)
    {
        var clusters = routing.Clusters.Values;
        var table = new UpstreamTable(this, clusters);
        dns?.Retain(clusters.Where(c => c.Resolution != ClusterResolution.Static).SelectMany(c => c.Endpoints).Select(e => e.Address).ToFrozenSet());
        var used = table.StaticAddresses.ToHashSet();
        var named = clusters.Where(c => c.Resolution != ClusterResolution.Static).Select(c => c.Name).ToHashSet();
        foreach (var key in _endpoints.Keys)
        {
            if (!used.Contains(key) && !named.Contains(key.Cluster))
            {
                _endpoints.TryRemove(key, out _);
            }
        }

        return table;
    }

    public UpstreamEndpoint Endpoint(Cluster cluster, IPAddress address, int port)
    {
        var endPoint = new IPEndPoint(address, port).ToString();
        return _endpoints.GetOrAdd((cluster.Name, endPoint), static key => new UpstreamEndpoint(key.Address, "http://" + key.Address));
    }

    /// <summary>The addresses of a name, from memory; waits only for the very first answer.</summary>
    public ValueTask<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken) => dns?.GetAsync(name, cancellationToken) ?? new([]);
}
