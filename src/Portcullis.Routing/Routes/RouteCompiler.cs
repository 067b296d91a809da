using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Compiles the rules of a VirtualService for a server.</summary>
internal sealed class RouteCompiler(ClusterCompiler clusters, WorkloadIdentity workload, ProblemReporter problems)
{
    private readonly StringMatchCompiler _strings = new();
    private readonly Dictionary<(VirtualService, RouteScope), ImmutableArray<CompiledRoute>> _compiled = new(BySource.Instance);

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
        var matches = new MatchCompiler(workload, _strings, problems);
        var actions = new ActionCompiler(clusters, _strings, problems);
        var routes = ImmutableArray.CreateBuilder<CompiledRoute>();
        foreach (var rule in rules)
        {
            if (rule.Route.Match.IsEmpty)
            {
                if (actions.Compile(rule, scope) is { } whole)
                {
                    routes.Add(whole.ToRoute(rule.Route.Name ?? "", PathMatch.Any, RouteConditions.None));
                }

                return routes.ToImmutable();
            }

            CompiledAction? action = null;
            for (var i = 0; i < rule.Route.Match.Length; i++)
            {
                var block = rule.Route.Match[i];
                if (!matches.Applies(block, scope) || matches.Compile(block, rule.Owner, $"{rule.FieldPath}.match[{i}]") is not { } match)
                {
                    continue;
                }

                action ??= actions.Compile(rule, scope);
                if (action is null)
                {
                    break;
                }

                var name = string.IsNullOrEmpty(block.Name) ? rule.Route.Name ?? "" : $"{rule.Route.Name}.{block.Name}";
                var route = action.ToRoute(name, match.Path, match.Conditions);
                routes.Add(route);
                if (route.IsCatchAll)
                {
                    return routes.ToImmutable();
                }
            }
        }

        return routes.ToImmutable();
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
