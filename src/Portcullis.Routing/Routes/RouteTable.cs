using System.Collections.Immutable;
using Portcullis.Matching;

namespace Portcullis.Routing;

/// <summary>
/// Finds the first route of a virtual host that matches. Today a walk over the list with the cheap path check first; an index by path
/// can take its place here without anyone noticing.
/// </summary>
internal sealed class RouteTable(ImmutableArray<CompiledRoute> routes)
{
    public CompiledRoute? Find<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var path = request.Path;
        foreach (var route in routes)
        {
            if (route.Path.IsMatch(path) && route.Conditions.AllHold(in request))
            {
                return route;
            }
        }

        return null;
    }
}
