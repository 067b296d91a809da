using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Puts the rules of delegates in the place of the rules that name them (routing.md §2.15), and makes names full.</summary>
internal sealed class Delegation
{
    private readonly Dictionary<(string, string), VirtualService> _delegates = [];
    private readonly string _clusterDomain;
    private readonly ImmutableArray<string> _exportTo;
    private readonly ProblemReporter _problems;

    public Delegation(ResourceSet set, string clusterDomain, ImmutableArray<string> exportTo, ProblemReporter problems)
    {
        _clusterDomain = clusterDomain;
        _exportTo = exportTo;
        _problems = problems;
        foreach (var resource in set.OfType<VirtualService>().Where(v => v.Hosts.IsEmpty))
        {
            _delegates.TryAdd((resource.Metadata.Namespace, resource.Metadata.Name), resource);
        }
    }

    public ImmutableArray<HttpRule> RulesOf(VirtualService root)
    {
        var rules = ImmutableArray.CreateBuilder<HttpRule>(root.Http.Length);
        for (var i = 0; i < root.Http.Length; i++)
        {
            var rule = Complete(root, i);
            if (rule.Route.Delegate is { } reference)
            {
                AddDelegated(rule, reference, rules);
            }
            else
            {
                rules.Add(rule);
            }
        }

        return rules.ToImmutable();
    }

    private void AddDelegated(HttpRule root, DelegateReference reference, ImmutableArray<HttpRule>.Builder rules)
    {
        var rootNamespace = root.Owner.Metadata.Namespace;
        var ns = string.IsNullOrEmpty(reference.Namespace) ? rootNamespace : reference.Namespace;
        if (!_delegates.TryGetValue((ns, reference.Name), out var found) || !Visibility.Includes(rootNamespace, found.ExportTo, _exportTo, ns))
        {
            _problems.Warning(
                root.Owner, $"{root.FieldPath}.delegate", ProblemCodes.DanglingReference,
                $"there is no VirtualService `{ns}/{reference.Name}` without hosts that is exported to `{rootNamespace}`; the rule is left out");
            return;
        }

        for (var i = 0; i < found.Http.Length; i++)
        {
            var rule = Complete(found, i);
            if (rule.Route.Delegate is not null)
            {
                _problems.Error(found, $"{rule.FieldPath}.delegate", ProblemCodes.InvalidValue, "a delegate cannot delegate; the rule is left out");
            }
            else if (Merge(root.Route, rule.Route) is { } merged)
            {
                rules.Add(rule with { Route = merged });
            }
            else
            {
                _problems.Warning(
                    found, $"{rule.FieldPath}.match", ProblemCodes.Conflict,
                    $"no block fits into those of the rule that delegates to it, in {root.Owner.Id}; the rule is left out");
            }
        }
    }

    private static HttpRoute? Merge(HttpRoute root, HttpRoute leaf)
    {
        var match = leaf.Match.IsEmpty ? root.Match : root.Match.IsEmpty ? leaf.Match : MatchMerge.All(root.Match, leaf.Match);
        return match.IsEmpty && !(root.Match.IsEmpty && leaf.Match.IsEmpty) ? null : leaf with
        {
            Match = match,
            Name = string.IsNullOrEmpty(leaf.Name) ? root.Name : string.IsNullOrEmpty(root.Name) ? leaf.Name : $"{root.Name}-{leaf.Name}",
            Rewrite = leaf.Rewrite ?? root.Rewrite,
            Timeout = leaf.Timeout ?? root.Timeout,
            Retries = leaf.Retries ?? root.Retries,
            Fault = leaf.Fault ?? root.Fault,
            Mirrors = leaf.Mirrors.IsEmpty ? root.Mirrors : leaf.Mirrors,
            CorsPolicy = leaf.CorsPolicy ?? root.CorsPolicy,
            Headers = leaf.Headers ?? root.Headers,
            DirectResponse = leaf.DirectResponse ?? (leaf.Route.IsEmpty && leaf.Redirect is null ? root.DirectResponse : null),
        };
    }

    /// <summary>Short destination hosts and gateway names mean the namespace of the VirtualService that writes them.</summary>
    private HttpRule Complete(VirtualService owner, int index)
    {
        var ns = owner.Metadata.Namespace;
        var route = owner.Http[index];
        if (route.Route.Any(d => IsShort(d.Destination)))
        {
            route = route with { Route = [.. route.Route.Select(d => d with { Destination = Complete(d.Destination, ns) })] };
        }

        if (route.Mirrors.Any(m => IsShort(m.Destination)))
        {
            route = route with { Mirrors = [.. route.Mirrors.Select(m => m with { Destination = Complete(m.Destination, ns) })] };
        }

        if (route.Match.Any(m => !m.Gateways.IsEmpty))
        {
            route = route with
            {
                Match = [.. route.Match.Select(m => m with { Gateways = [.. m.Gateways.Select(g => VirtualServiceIndex.ResolveGateway(g, ns))] })],
            };
        }

        return new(owner, index, route);
    }

    private static bool IsShort(Destination destination) => !destination.Host.Contains('.', StringComparison.Ordinal);

    private Destination Complete(Destination destination, string ns) =>
        destination with { Host = HostName.Expand(destination.Host, ns, _clusterDomain) };
}
