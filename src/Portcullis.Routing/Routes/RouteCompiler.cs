using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Compiles the rules of a VirtualService for a server.</summary>
internal sealed class RouteCompiler
{
    private readonly MatchCompiler _matches;
    private readonly ActionCompiler _actions;
    private readonly Dictionary<(VirtualService, RouteScope), ImmutableArray<CompiledRoute>> _compiled = new(BySource.Instance);

    public RouteCompiler(ClusterCompiler clusters, WorkloadIdentity workload, MeshTraffic mesh, ProblemReporter problems)
    {
        var strings = new StringMatchCompiler();
        _matches = new(workload, strings, problems);
        _actions = new(clusters, strings, mesh, problems);
    }

    /// <summary>Routes in the order of trying, up to and with the first that matches everything; what comes after it is unreachable.</summary>
    public ImmutableArray<CompiledRoute> Compile(BoundVirtualService source, RouteScope scope)
    {
        var key = (source.Resource, scope);
        if (!_compiled.TryGetValue(key, out var routes))
        {
            _compiled.Add(key, routes = CompileRules(source.Rules, scope));
        }

        return routes;
    }

    private ImmutableArray<CompiledRoute> CompileRules(ImmutableArray<HttpRule> rules, RouteScope scope)
    {
        var routes = ImmutableArray.CreateBuilder<CompiledRoute>(rules.Length);
        foreach (var rule in rules)
        {
            if (rule.Route.Match.IsEmpty)
            {
                if (_actions.Compile(rule, scope) is { } whole)
                {
                    routes.Add(whole.ToRoute(rule.Route.Name ?? "", PathMatch.Any, RouteConditions.None));
                }

                return routes.DrainToImmutable();
            }

            CompiledAction? action = null;
            for (var i = 0; i < rule.Route.Match.Length; i++)
            {
                var block = rule.Route.Match[i];
                if (!_matches.Applies(block, scope) || _matches.Compile(block, rule, i) is not { } match)
                {
                    continue;
                }

                action ??= _actions.Compile(rule, scope);
                if (action is null)
                {
                    break;
                }

                var name = string.IsNullOrEmpty(block.Name) ? rule.Route.Name ?? "" : $"{rule.Route.Name}.{block.Name}";
                var route = action.ToRoute(name, match.Path, match.Conditions);
                routes.Add(route);
                if (route.IsCatchAll)
                {
                    return routes.DrainToImmutable();
                }
            }
        }

        return routes.DrainToImmutable();
    }

    /// <summary>By reference: a record's own equality would walk the whole resource.</summary>
    private sealed class BySource : IEqualityComparer<(VirtualService Resource, RouteScope Scope)>
    {
        public static BySource Instance { get; } = new();

        public bool Equals((VirtualService Resource, RouteScope Scope) x, (VirtualService Resource, RouteScope Scope) y) =>
            ReferenceEquals(x.Resource, y.Resource) && x.Scope == y.Scope;

        public int GetHashCode((VirtualService Resource, RouteScope Scope) key) =>
            HashCode.Combine(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(key.Resource), key.Scope);
    }
}
