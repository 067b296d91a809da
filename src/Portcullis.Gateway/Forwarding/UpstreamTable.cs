using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>The clusters of one snapshot with their endpoints at run time.</summary>
internal sealed class UpstreamTable
{
    private readonly UpstreamDirectory _directory;
    private readonly FrozenDictionary<Cluster, Entry> _entries;

    public UpstreamTable(UpstreamDirectory directory, IEnumerable<Cluster> clusters)
    {
        _directory = directory;
        _entries = clusters.ToFrozenDictionary(c => c, c => new Entry(c), (IEqualityComparer<Cluster>)ReferenceEqualityComparer.Instance);
        foreach (var (cluster, entry) in _entries)
        {
            if (cluster.Resolution == ClusterResolution.Static)
            {
                entry.Current = Build(cluster, [.. cluster.Endpoints.Select(e => (e.IPAddress!, e))]);
            }
        }
    }

    /// <summary>Cluster name and address of every endpoint that needs no name resolution.</summary>
    public IEnumerable<(string Cluster, string Address)> StaticAddresses =>
        from cluster in _entries.Keys
        where cluster.Resolution == ClusterResolution.Static
        from endpoint in cluster.Endpoints
        select (cluster.Name, new IPEndPoint(endpoint.IPAddress!, endpoint.Port).ToString());

    /// <summary>The endpoints to choose from now.</summary>
    public ValueTask<UpstreamCluster> ResolveAsync(Cluster cluster, CancellationToken cancellationToken)
    {
        var entry = _entries[cluster];
        return cluster.Resolution == ClusterResolution.Static ? new(entry.Current!) : ResolveNamesAsync(entry, cancellationToken);
    }

    private async ValueTask<UpstreamCluster> ResolveNamesAsync(Entry entry, CancellationToken cancellationToken)
    {
        var cluster = entry.Cluster;
        var resolved = new IPAddress[cluster.Endpoints.Length][];
        for (var i = 0; i < resolved.Length; i++)
        {
            var endpoint = cluster.Endpoints[i];
            resolved[i] = endpoint.IPAddress is { } address ? [address] : await _directory.ResolveAsync(endpoint.Address, cancellationToken);
        }

        if (entry.Current is { } current && entry.Resolved is { } before && before.Zip(resolved).All(p => ReferenceEquals(p.First, p.Second)))
        {
            return current;
        }

        var addresses = cluster.Endpoints.SelectMany((endpoint, i) =>
            (cluster.Resolution == ClusterResolution.DnsRoundRobin ? resolved[i].Take(1) : resolved[i]).Select(a => (a, endpoint)));
        var built = Build(cluster, [.. addresses]);
        (entry.Resolved, entry.Current) = (resolved, built);
        return built;
    }

    private UpstreamCluster Build(Cluster cluster, ImmutableArray<(IPAddress Address, ClusterEndpoint Endpoint)> addresses)
    {
        UpstreamEndpoint[] endpoints = [.. addresses.Select(a => _directory.Endpoint(cluster, a.Address, a.Endpoint.Port))];
        int[] weights = [.. addresses.Select(a => a.Endpoint.Weight)];
        var (policy, state, profile) = (cluster.Policy, _directory.State(cluster), _directory.Profile(cluster));
        if (cluster.LocalityGroups.IsEmpty)
        {
            return new(endpoints, weights, policy, state) { Profile = profile };
        }

        var levels = Enumerable.Range(0, addresses.Length)
            .GroupBy(i => addresses[i].Endpoint.LocalityGroup)
            .GroupBy(g => cluster.LocalityGroups[g.Key].Priority)
            .OrderBy(l => l.Key)
            .Select(level => new PriorityLevel(
                [.. level.Select(g => new EndpointPool([.. g.Select(i => endpoints[i])], [.. g.Select(i => weights[i])], policy, state, isAlone: false))],
                [.. level.Select(g => cluster.LocalityGroups[g.Key].Weight)]));
        return new(endpoints, [.. levels], policy, state) { Profile = profile };
    }

    private sealed class Entry(Cluster cluster)
    {
        private UpstreamCluster? _current;

        public Cluster Cluster => cluster;

        public UpstreamCluster? Current
        {
            get => Volatile.Read(ref _current);
            set => Volatile.Write(ref _current, value);
        }

        public IPAddress[][]? Resolved { get; set; }
    }
}
