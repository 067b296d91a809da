using System.Collections.Immutable;
using Portcullis.Matching;

namespace Portcullis.Routing;

/// <summary>The routes of one host name, first match first.</summary>
public sealed class VirtualHost
{
    private readonly RouteTable _table;

    internal VirtualHost(string domain, bool requiresHttps, ImmutableArray<CompiledRoute> routes)
    {
        Domain = domain;
        RequiresHttps = requiresHttps;
        Routes = routes;
        UsesClaims = routes.Any(r => r.UsesClaims);
        _table = new(routes);
    }

    /// <summary>Lower-case host, <c>*.suffix</c> or <c>*</c>.</summary>
    public string Domain { get; }

    /// <summary>Some server of this host says <c>httpsRedirect</c>: plain requests are answered 301 (routing.md §1.5).</summary>
    public bool RequiresHttps { get; }

    /// <summary>In the order of trying: catch-all routes are last (routing.md §2.2).</summary>
    public ImmutableArray<CompiledRoute> Routes { get; }

    /// <summary>Some route matches on JWT claims, so the route must be found after the token is verified.</summary>
    public bool UsesClaims { get; }

    /// <summary>The first route that matches. Allocates nothing, unless a header with several lines is compared.</summary>
    /// <returns><see langword="null"/>: 404, <c>NR</c>, <c>route_not_found</c>; no wider virtual host is tried.</returns>
    public CompiledRoute? Match<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        RequiresHttps && request.Scheme != "https" ? CompiledRoute.HttpsRedirect : _table.Find(in request);
}
