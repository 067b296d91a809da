using System.Collections.Immutable;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Gateway.Pipeline;
using Portcullis.Matching;
using Portcullis.Policy;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Explanation;

/// <summary>Tells what a gateway with one revision of the resources does with requests, without sending any. Safe for concurrent use.</summary>
public sealed class GatewayExplainer
{
    private readonly RequestExplainer _policies;
    private readonly RoutingSnapshot _routing;
    private readonly MeshConfig _mesh;
    private readonly PortMap _ports;

    private GatewayExplainer(ResourceSet resources, RoutingSnapshot routing, WorkloadIdentity workload, PortMap ports, JwtAuthenticator? authenticator)
    {
        var authorizers = CustomProviders.Resolve(resources, workload, routing, CustomProviders.AllowsSeveral());
        _policies = new RequestExplainer(resources, workload, authenticator, [.. authorizers.Select(a => a.ToFacts())]);
        (_routing, _mesh, _ports) = (routing, resources.Mesh, ports);
    }

    /// <summary>The AuthorizationPolicies that apply to the gateway, in the order in which they count.</summary>
    public ImmutableArray<AuthorizationPolicy> Policies => _policies.Policies;

    /// <summary>Compiles resources as the gateway does.</summary>
    /// <param name="resources">What the author wrote.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="ports">Ports really bound.</param>
    /// <param name="keys">Finds remote key sets.</param>
    /// <param name="problems">Receives what compiling finds.</param>
    public static GatewayExplainer Compile(
        ResourceSet resources, WorkloadIdentity workload, PortMap ports, IJwksResolver keys, ICollection<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(resources);
        workload = resources.Mesh.RootNamespace is { } root ? workload with { RootNamespace = root } : workload;
        var routing = RoutingSnapshot.Compile(resources, workload, resources.Mesh, ports, problems);
        var attached = resources.OfType<RequestAuthentication>().Where(r => PolicyAttachment.AppliesTo(r, r.Selection, workload));
        var authenticator = JwtAuthenticator.Compile(attached, keys, AuthenticationOptions.For(resources.Mesh, workload), problems);
        return new GatewayExplainer(resources, routing, workload, ports, authenticator);
    }

    /// <summary>How paths are normalised.</summary>
    public PathNormalization NormalizationMode => _policies.NormalizationMode;

    /// <summary>Explains what a snapshot that serves requests does with them.</summary>
    internal static GatewayExplainer Of(GatewaySnapshot snapshot, WorkloadIdentity workload, PortMap ports) =>
        new(snapshot.Resources, snapshot.Routing, snapshot.Mesh.RootNamespace is { } root ? workload with { RootNamespace = root } : workload, ports, snapshot.Authenticator);

    /// <summary>Explains a request that somebody describes.</summary>
    public ExplainedRequest Explain(RequestDescription request, DateTimeOffset now) => Explain(FactsOf(request), now);

    /// <summary>Explains a request.</summary>
    public ExplainedRequest Explain(RequestFacts facts, DateTimeOffset now) => Explain(facts, now, out _);

    /// <summary>Explains a request.</summary>
    /// <param name="facts">The request as it arrives.</param>
    /// <param name="now">When: tokens expire.</param>
    /// <param name="view">The request as AUDIT, DENY and ALLOW policies see it; only meaningful when they are reached.</param>
    /// <param name="listenerPort">Port that the configuration gives the listener, where that is not the one really bound.</param>
    internal ExplainedRequest Explain(RequestFacts facts, DateTimeOffset now, out FactsView view, int? listenerPort = null)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var decision = _policies.Explain(facts, now, out view);
        if (!decision.IsAllowed)
        {
            return new ExplainedRequest(decision.StatusCode, decision, null);
        }

        var (status, route) = Route(facts, listenerPort ?? facts.LocalPort, in view);
        return new ExplainedRequest(status, decision, route);
    }

    /// <summary>The request as it arrives at this gateway, without what a client outside must not say.</summary>
    internal RequestFacts FactsOf(RequestDescription request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var host = request.Headers.LastOrDefault(h => h.Key.Equals("host", StringComparison.OrdinalIgnoreCase)).Value ?? request.Authority;
        var headers = request.Headers
            .Where(h => !h.Key.Equals("host", StringComparison.OrdinalIgnoreCase) && !RequestSanitizer.Removes(h.Key))
            .ToImmutableArray();
        var forwardedFor = headers.Where(h => h.Key.Equals("x-forwarded-for", StringComparison.OrdinalIgnoreCase)).Select(h => (string?)h.Value).ToArray();
        return new RequestFacts
        {
            Method = request.Method,
            Scheme = request.Scheme,
            Authority = host,
            Target = request.Target,
            Headers = headers,
            PeerAddress = request.SourceIp,
            RemoteAddress = request.RemoteIp ?? ClientAddress.Resolve(forwardedFor, _mesh.NumTrustedProxies, request.SourceIp),
            LocalAddress = System.Net.IPAddress.Loopback,
            LocalPort = LocalPort(request.Port),
            PeerCertificate = request.PeerCertificate,
            ServerName = request.ServerName ?? (request.Scheme == "https" ? HostOf(host) : null),
            AssertedClaims = request.Claims,
        };
    }

    private (int Status, RouteExplanation Route) Route(RequestFacts facts, int port, ref readonly FactsView view)
    {
        var listener = _routing.Listeners.FirstOrDefault(l => l.Port == port);
        if (listener is null)
        {
            return (404, new RouteExplanation { Action = "none", Problem = $"no Gateway of this workload has a server that is bound to port {port}" });
        }

        var hosts = listener.Protocol == ListenerProtocol.Tls ? listener.FindChain(facts.ServerName ?? "")?.Hosts ?? VirtualHostTable.Empty : listener.Hosts;
        var host = hosts.Find(facts.Authority);
        if (host is null)
        {
            return (404, new RouteExplanation { Port = listener.Port, Action = "none", Problem = $"no VirtualService bound to a Gateway has the host `{facts.Authority}`" });
        }

        var route = host.Match(in view);
        var found = new RouteExplanation
        {
            Port = listener.Port,
            VirtualHost = host.Domain,
            VirtualService = route?.VirtualService is { } id ? $"{id.Namespace}/{id.Name}" : null,
            Rule = route?.VirtualService is null ? null : $"spec.http[{route.RuleIndex}]",
            Name = string.IsNullOrEmpty(route?.Name) ? null : route.Name,
            Action = "none",
        };
        return route switch
        {
            null => (404, found with { Problem = $"no route of virtual host `{host.Domain}` matches" }),
            { Redirect: { } redirect } => (redirect.Status, found with { Action = "redirect" }),
            { DirectResponse: { } response } => (response.Status, found with { Action = "respond" }),
            { Forward: { } forward } => Forward(forward, found),
            _ => (404, found),
        };
    }

    private static (int Status, RouteExplanation Route) Forward(ForwardAction forward, RouteExplanation found)
    {
        found = found with { Action = "forward", Destinations = [.. forward.Destinations.Select(d => d.ClusterName)] };
        var missing = forward.Destinations.FirstOrDefault(d => d.Cluster is null);
        return missing is null ? (200, found)
            : (503, found with { Problem = $"`{missing.ClusterName}` is no service that the gateway knows" });
    }

    /// <summary>The port bound for the one of the URL; a URL may also name a bound port, as seen from a laptop.</summary>
    private int LocalPort(int declared)
    {
        var bound = _ports.Bound(declared);
        return _routing.Listeners.Any(l => l.Port == bound) || !_routing.Listeners.Any(l => l.Port == declared) ? bound : declared;
    }

    private static string HostOf(string authority)
    {
        var colon = authority.LastIndexOf(':');
        return colon > authority.LastIndexOf(']') ? authority[..colon] : authority;
    }
}
