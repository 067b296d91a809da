using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>The DestinationRules that this gateway sees, merged by host and found in Istio's order (routing.md §4.1).</summary>
internal sealed class DestinationRules
{
    private readonly WorkloadIdentity _workload;
    private readonly ImmutableArray<string> _exportTo;
    private readonly Dictionary<(string Namespace, string Host), Merged> _exact = [];
    private readonly Dictionary<string, List<Merged>> _wildcards = [];

    public DestinationRules(IEnumerable<DestinationRule> rules, WorkloadIdentity workload, ImmutableArray<string> exportTo)
    {
        (_workload, _exportTo) = (workload, exportTo);
        foreach (var rule in rules.Where(Applies).OrderBy(r => r.WorkloadSelector is null))
        {
            var ns = rule.Metadata.Namespace;
            var host = HostName.Expand(rule.Host, ns, workload.ClusterDomain);
            if (!_exact.TryGetValue((ns, host), out var merged))
            {
                _exact.Add((ns, host), merged = new(host));
                if (HostName.IsWildcard(host))
                {
                    (_wildcards.TryGetValue(ns, out var list) ? list : _wildcards[ns] = []).Add(merged);
                }
            }

            merged.Add(rule, isPrivate: (rule.ExportTo.IsEmpty ? exportTo : rule.ExportTo) is ["."]);
        }
    }

    /// <summary>The rule for a host of a service's namespace; <see langword="null"/> when none is written.</summary>
    public Merged? Find(string host, string serviceNamespace) => _exact.Count == 0 ? null :
        Level(_workload.Namespace, host, privateOnly: _workload.Namespace == _workload.RootNamespace)
        ?? Level(serviceNamespace, host, privateOnly: false)
        ?? Level(_workload.RootNamespace, host, privateOnly: false);

    private Merged? Level(string ns, string host, bool privateOnly)
    {
        if (_exact.TryGetValue((ns, host), out var found) && (found.IsPrivate || !privateOnly))
        {
            return found;
        }

        found = null;
        foreach (var candidate in _wildcards.GetValueOrDefault(ns, []))
        {
            if ((candidate.IsPrivate || !privateOnly) && HostName.Covers(candidate.Host, host) && !(found?.Host.Length >= candidate.Host.Length))
            {
                found = candidate;
            }
        }

        return found;
    }

    private bool Applies(DestinationRule rule)
    {
        var ns = rule.Metadata.Namespace;
        return rule.WorkloadSelector is null
            ? Visibility.Includes(_workload.Namespace, rule.ExportTo, _exportTo, ns)
            : ns == _workload.Namespace && Labels.Contain(_workload.Labels, rule.WorkloadSelector);
    }

    /// <summary>All rules of a namespace for one host: subsets united, the oldest policy and the oldest subset of a name kept.</summary>
    internal sealed class Merged(string host)
    {
        private readonly Dictionary<string, Subset> _subsets = new(StringComparer.Ordinal);
        private TrafficPolicy? _policy;

        public string Host { get; } = host;

        /// <summary>Every rule in it is exported to its own namespace only.</summary>
        public bool IsPrivate { get; private set; } = true;

        public void Add(DestinationRule rule, bool isPrivate)
        {
            IsPrivate &= isPrivate;
            _policy ??= rule.TrafficPolicy;
            foreach (var subset in rule.Subsets)
            {
                _subsets.TryAdd(subset.Name, subset);
            }
        }

        public bool TryGetSubset(string name, out ImmutableDictionary<string, string> labels)
        {
            var found = _subsets.TryGetValue(name, out var subset);
            labels = found ? subset!.Labels : ImmutableDictionary<string, string>.Empty;
            return found;
        }

        /// <summary>Port settings replace the policy of their level wholesale; the subset's blocks then go before the destination's.</summary>
        public TrafficPolicy? PolicyFor(int port, string? subset)
        {
            var top = ForPort(_policy, port);
            return subset is not null && _subsets.TryGetValue(subset, out var found) && ForPort(found.TrafficPolicy, port) is { } over
                ? Overlay(top, over, isWhole: !ReferenceEquals(over, found.TrafficPolicy))
                : top;
        }

        private static TrafficPolicy? ForPort(TrafficPolicy? policy, int port)
        {
            foreach (var entry in policy?.PortLevelSettings ?? [])
            {
                if (entry.Port == port)
                {
                    return entry.Policy;
                }
            }

            return policy;
        }

        private static TrafficPolicy Overlay(TrafficPolicy? below, TrafficPolicy over, bool isWhole) => below is null || isWhole ? over : new()
        {
            LoadBalancer = over.LoadBalancer ?? below.LoadBalancer,
            ConnectionPool = over.ConnectionPool ?? below.ConnectionPool,
            OutlierDetection = over.OutlierDetection ?? below.OutlierDetection,
            Tls = over.Tls ?? below.Tls,
            RetryBudget = over.RetryBudget ?? below.RetryBudget,
        };
    }
}
