using System.Collections.Immutable;

namespace Portcullis.Resources.Analysis;

/// <summary>A name that routes can lead to.</summary>
/// <param name="Ports">Its ports; empty when it takes any (an ExternalName Service without ports).</param>
internal sealed record KnownHost(ImmutableArray<int> Ports);

/// <summary>The resources of a set by what others call them.</summary>
internal sealed class ResourceIndex
{
    private readonly Dictionary<string, KnownHost> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<(string, string), Gateway> _gateways = [];
    private readonly Dictionary<(string, string), VirtualService> _virtualServices = [];
    private readonly HashSet<(string, string)> _secrets = [];
    private readonly ILookup<string, DestinationRule> _rules;
    private readonly List<(string Suffix, DestinationRule Rule)> _wildcardRules;

    public ResourceIndex(ResourceSet set, WorkloadIdentity workload)
    {
        (Set, Workload) = (set, workload);
        foreach (var service in set.OfType<Service>())
        {
            _hosts[$"{service.Metadata.Name}.{service.Metadata.Namespace}.svc.{workload.ClusterDomain}"] = new([.. service.Ports.Select(p => p.Port)]);
        }

        foreach (var entry in set.OfType<ServiceEntry>())
        {
            foreach (var host in entry.Hosts)
            {
                var ports = entry.Ports.Select(p => p.Number);
                _hosts[host] = new([.. _hosts.TryGetValue(host, out var known) ? known.Ports.Union(ports) : ports]);
            }
        }

        foreach (var gateway in set.OfType<Gateway>())
        {
            _gateways[(gateway.Metadata.Namespace, gateway.Metadata.Name)] = gateway;
        }

        foreach (var service in set.OfType<VirtualService>())
        {
            _virtualServices[(service.Metadata.Namespace, service.Metadata.Name)] = service;
        }

        foreach (var secret in set.OfType<Secret>())
        {
            _secrets.Add((secret.Metadata.Namespace, secret.Metadata.Name));
        }

        var rules = set.OfType<DestinationRule>().Select(r => (Host: Qualify(r.Host, r.Metadata.Namespace), Rule: r)).ToList();
        _rules = rules.ToLookup(r => r.Host, r => r.Rule, StringComparer.OrdinalIgnoreCase);
        _wildcardRules = [.. rules.Where(r => r.Host.StartsWith('*')).Select(r => (r.Host[1..], r.Rule))];
    }

    public ResourceSet Set { get; }

    public WorkloadIdentity Workload { get; }

    public IEnumerable<string> Hosts => _hosts.Keys;

    /// <summary>A name without a dot belongs to the namespace of the resource that uses it (routing.md §2.5).</summary>
    public string Qualify(string host, string ns) =>
        host.Contains('.', StringComparison.Ordinal) || host == "*" ? host : $"{host}.{ns}.svc.{Workload.ClusterDomain}";

    public KnownHost? Host(string host) => _hosts.GetValueOrDefault(host);

    public Gateway? Gateway(string ns, string name) => _gateways.GetValueOrDefault((ns, name));

    public VirtualService? VirtualService(string ns, string name) => _virtualServices.GetValueOrDefault((ns, name));

    public bool HasSecret(string ns, string name) => _secrets.Contains((ns, name));

    /// <summary>A namespace other than <paramref name="ns"/> that has a Secret of this name.</summary>
    public string? SecretElsewhere(string ns, string name)
    {
        foreach (var (otherNs, otherName) in _secrets)
        {
            if (otherName == name && otherNs != ns)
            {
                return otherNs;
            }
        }

        return null;
    }

    public IEnumerable<DestinationRule> RulesFor(string host) =>
        _rules[host].Concat(_wildcardRules.Where(r => host.EndsWith(r.Suffix, StringComparison.OrdinalIgnoreCase)).Select(r => r.Rule));

    /// <summary>The gateway carries all of the labels.</summary>
    public bool Selects(ImmutableDictionary<string, string> selector)
    {
        foreach (var (key, value) in selector)
        {
            if (Workload.Labels.GetValueOrDefault(key) != value)
            {
                return false;
            }
        }

        return true;
    }

    public bool IsVisible(ImmutableArray<string> exportTo, string ns) =>
        exportTo.IsEmpty || exportTo.Any(e => e == "*" || e == Workload.Namespace || (e == "." && ns == Workload.Namespace));
}
