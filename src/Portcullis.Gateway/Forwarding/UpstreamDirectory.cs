using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// What is known of backends at run time, across snapshots: an address that stays keeps its counters, a cluster that stays its connections, a name that
/// stays its addresses.
/// </summary>
internal sealed class UpstreamDirectory(DnsAddresses? dns, TimeProvider time, UpstreamMetrics? metrics = null)
{
    /// <summary>Knows no names.</summary>
    public static UpstreamDirectory Empty { get; } = new(null, TimeProvider.System);

    private readonly ConcurrentDictionary<(string Cluster, string Address), UpstreamEndpoint> _endpoints = new();
    private readonly ConcurrentDictionary<ClusterId, UpstreamClusterState> _states = new();
    private readonly ConcurrentDictionary<ClusterId, (Cluster Cluster, ConnectionProfile Profile)> _profiles = new();

    /// <summary>The table of a new snapshot. Endpoints and clusters that are gone are forgotten.</summary>
    /// <param name="routing">Its clusters.</param>
    /// <param name="resources">Where <c>credentialName</c> is looked up.</param>
    /// <param name="credentialNamespace">The gateway's.</param>
    public UpstreamTable TableFor(RoutingSnapshot routing, ResourceSet resources, string credentialNamespace)
    {
        var clusters = routing.Clusters.Values;
        foreach (var cluster in clusters)
        {
            Prepare(cluster, resources, credentialNamespace);
        }

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

        foreach (var id in _states.Keys)
        {
            if (!routing.Clusters.ContainsKey(id))
            {
                _states.TryRemove(id, out _);
                _profiles.TryRemove(id, out _);
            }
        }

        return table;
    }

    public UpstreamEndpoint Endpoint(Cluster cluster, IPAddress address, int port)
    {
        var endPoint = new IPEndPoint(address, port).ToString();
        return _endpoints.GetOrAdd((cluster.Name, endPoint), static (key, time) => new UpstreamEndpoint(key.Address, time.GetTimestamp()), time);
    }

    /// <summary>A cluster's counters.</summary>
    public UpstreamClusterState State(Cluster cluster) => _states.GetOrAdd(
        cluster.Id,
        static (id, self) => new UpstreamClusterState(self.time, self.metrics is { } m ? _ => m.Ejected(id.Name) : null),
        (time, metrics));

    /// <summary>How connections to a cluster are made.</summary>
    public ConnectionProfile Profile(Cluster cluster) => _profiles.TryGetValue(cluster.Id, out var known) ? known.Profile : ConnectionProfile.Default;

    /// <summary>The addresses of a name, from memory; waits only for the very first answer.</summary>
    public ValueTask<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken) => dns?.GetAsync(name, cancellationToken) ?? new([]);

    private void Prepare(Cluster cluster, ResourceSet resources, string credentialNamespace)
    {
        var policy = cluster.Policy;
        var state = State(cluster);
        if (policy.Tls is null && policy.ConnectionPool == ConnectionProfile.Default.Limits)
        {
            _profiles.TryRemove(cluster.Id, out _);
            return;
        }

        if (!_profiles.TryGetValue(cluster.Id, out var known) || !SpeaksAlike(known.Cluster, cluster))
        {
            var tls = policy.Tls is { } settings ? new UpstreamTls(settings, cluster.SubjectAltNames, time) : null;
            known = (cluster, new ConnectionProfile(policy.ConnectionPool, tls, state.Breaker));
            _profiles[cluster.Id] = known;
        }

        if (policy.Tls is { CredentialName: { Length: > 0 } name } && known.Profile.Tls is { } secured)
        {
            UseSecrets(secured, policy.Tls, name, resources, credentialNamespace);
        }
    }

    /// <summary>Whether the connections of the one serve the other.</summary>
    private static bool SpeaksAlike(Cluster before, Cluster after) =>
        before.Policy.ConnectionPool == after.Policy.ConnectionPool
        && before.SubjectAltNames.SequenceEqual(after.SubjectAltNames)
        && (before.Policy.Tls, after.Policy.Tls) switch
        {
            (null, null) => true,
            ({ } a, { } b) => a with { SubjectAltNames = [] } == b with { SubjectAltNames = [] } && a.SubjectAltNames.SequenceEqual(b.SubjectAltNames),
            _ => false,
        };

    private static void UseSecrets(UpstreamTls tls, ClientTlsSettings settings, string name, ResourceSet resources, string ns)
    {
        var secret = Find(name);
        var authorities = Find(name + "-cacert");
        if (secret is null && (authorities is null || settings.Mode == ClientTlsMode.Mutual))
        {
            tls.Use(null, $"secret {ns}/{name} not found");
            return;
        }

        try
        {
            tls.Use(UpstreamTlsMaterial.FromSecrets(secret, authorities, settings.Mode == ClientTlsMode.Mutual), null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            tls.Use(null, $"secret {ns}/{name}: {e.Message}");
        }

        Secret? Find(string wanted)
        {
            foreach (var candidate in resources.OfType<Secret>())
            {
                if (candidate.Metadata.Name == wanted && candidate.Metadata.Namespace == ns)
                {
                    return candidate;
                }
            }

            return null;
        }
    }
}
