using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>Istio's VirtualService (networking.istio.io/v1): where requests for a host go.</summary>
public sealed record VirtualService : Resource
{
    /// <summary>Host names, wildcards allowed left-most; empty only for a delegate.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>Gateways as written; empty means the mesh only.</summary>
    public ImmutableArray<string> Gateways { get; init; } = [];

    /// <summary>HTTP rules, first match first.</summary>
    public ImmutableArray<HttpRoute> Http { get; init; } = [];

    /// <summary>Rules for TLS that is passed through.</summary>
    public ImmutableArray<TlsRoute> Tls { get; init; } = [];

    /// <summary>Rules for TCP.</summary>
    public ImmutableArray<TcpRoute> Tcp { get; init; } = [];

    /// <summary>Namespaces that see it; empty is all.</summary>
    public ImmutableArray<string> ExportTo { get; init; } = [];
}

/// <summary>One rule (<c>spec.http[]</c>).</summary>
public sealed record HttpRoute
{
    /// <summary>Name for logs.</summary>
    public string? Name { get; init; }

    /// <summary>Blocks, any of which must match; none matches every request.</summary>
    public ImmutableArray<HttpMatchRequest> Match { get; init; } = [];

    /// <summary>Weighted destinations.</summary>
    public ImmutableArray<HttpRouteDestination> Route { get; init; } = [];

    /// <summary>Answers with a redirect.</summary>
    public HttpRedirect? Redirect { get; init; }

    /// <summary>Answers by itself.</summary>
    public HttpDirectResponse? DirectResponse { get; init; }

    /// <summary>Another VirtualService that holds the rules.</summary>
    public DelegateReference? Delegate { get; init; }

    /// <summary>Path or authority rewrite.</summary>
    public HttpRewrite? Rewrite { get; init; }

    /// <summary>Limit for the whole request; <see langword="null"/> is none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Retry policy; <see langword="null"/> is Istio's default.</summary>
    public HttpRetry? Retries { get; init; }

    /// <summary>Fault injection.</summary>
    public HttpFaultInjection? Fault { get; init; }

    /// <summary>Mirrors; the single legacy <c>mirror</c> is the only entry then.</summary>
    public ImmutableArray<HttpMirror> Mirrors { get; init; } = [];

    /// <summary>CORS policy.</summary>
    public CorsPolicy? CorsPolicy { get; init; }

    /// <summary>Header operations.</summary>
    public HeaderRules? Headers { get; init; }
}

/// <summary>One block of conditions (<c>match[]</c>): all given must hold.</summary>
public sealed record HttpMatchRequest
{
    /// <summary>Name for logs.</summary>
    public string? Name { get; init; }

    /// <summary>Path without query.</summary>
    public StringMatch? Uri { get; init; }

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public StringMatch? Scheme { get; init; }

    /// <summary>Method.</summary>
    public StringMatch? Method { get; init; }

    /// <summary>Host header, port included.</summary>
    public StringMatch? Authority { get; init; }

    /// <summary>Header conditions, and JWT claims by <c>@request.auth.claims</c>.</summary>
    public ImmutableDictionary<string, StringMatch> Headers { get; init; } = ImmutableDictionary<string, StringMatch>.Empty;

    /// <summary>Conditions that must not hold.</summary>
    public ImmutableDictionary<string, StringMatch> WithoutHeaders { get; init; } = ImmutableDictionary<string, StringMatch>.Empty;

    /// <summary>Raw query parameters.</summary>
    public ImmutableDictionary<string, StringMatch> QueryParams { get; init; } = ImmutableDictionary<string, StringMatch>.Empty;

    /// <summary>Exact and prefix of <see cref="Uri"/> ignore case.</summary>
    public bool IgnoreUriCase { get; init; }

    /// <summary>Declared server port.</summary>
    public int? Port { get; init; }

    /// <summary>Restricts the block to these gateways.</summary>
    public ImmutableArray<string> Gateways { get; init; } = [];

    /// <summary>Labels that the gateway itself must carry.</summary>
    public ImmutableDictionary<string, string> SourceLabels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Namespace that the gateway itself must run in.</summary>
    public string? SourceNamespace { get; init; }

    /// <summary>Prefix for statistics; kept, not used.</summary>
    public string? StatPrefix { get; init; }
}

/// <summary>A destination with its share of traffic.</summary>
public sealed record HttpRouteDestination
{
    /// <summary>Where to.</summary>
    public required Destination Destination { get; init; }

    /// <summary>Relative share; ignored when there is one destination.</summary>
    public int Weight { get; init; }

    /// <summary>Header operations for this destination only.</summary>
    public HeaderRules? Headers { get; init; }
}

/// <summary>A service, as a route names it.</summary>
public sealed record Destination
{
    /// <summary>Service host; a name without a dot is expanded in the VirtualService's namespace.</summary>
    public required string Host { get; init; }

    /// <summary>Subset of a DestinationRule.</summary>
    public string? Subset { get; init; }

    /// <summary>Service port number; <see langword="null"/> is the service's only port.</summary>
    public int? Port { get; init; }
}

/// <summary>A redirect (<c>redirect</c>).</summary>
public sealed record HttpRedirect
{
    /// <summary>Replaces the whole path.</summary>
    public string? Uri { get; init; }

    /// <summary>Replaces the matched prefix.</summary>
    public string? PrefixRewrite { get; init; }

    /// <summary>Replaces the host.</summary>
    public string? Authority { get; init; }

    /// <summary>Fixed port.</summary>
    public int? Port { get; init; }

    /// <summary><c>FROM_PROTOCOL_DEFAULT</c> or <c>FROM_REQUEST_PORT</c>.</summary>
    public string? DerivePort { get; init; }

    /// <summary>Replaces the scheme.</summary>
    public string? Scheme { get; init; }

    /// <summary>301, 302, 303, 307 or 308.</summary>
    public int RedirectCode { get; init; } = 301;
}

/// <summary>An answer without a backend.</summary>
public sealed record HttpDirectResponse
{
    /// <summary>200–599.</summary>
    public required int Status { get; init; }

    /// <summary>Body, when there is one.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }
}

/// <summary>Names the VirtualService that holds the rules.</summary>
/// <param name="Name">Name.</param>
/// <param name="Namespace">Namespace; the root's own when <see langword="null"/>.</param>
public sealed record DelegateReference(string Name, string? Namespace);

/// <summary>Rewrites before forwarding.</summary>
public sealed record HttpRewrite
{
    /// <summary>Replaces the matched part of the path.</summary>
    public string? Uri { get; init; }

    /// <summary>Replaces the Host header.</summary>
    public string? Authority { get; init; }

    /// <summary>RE2 to replace in the path.</summary>
    public RegexRewrite? UriRegexRewrite { get; init; }
}

/// <summary>A regular expression with its substitution (<c>\1</c>…).</summary>
/// <param name="Match">RE2.</param>
/// <param name="Rewrite">Substitution.</param>
public sealed record RegexRewrite(string Match, string Rewrite);

/// <summary>Retry policy.</summary>
public sealed record HttpRetry
{
    /// <summary>Retries besides the first try.</summary>
    public int Attempts { get; init; }

    /// <summary>Limit for each try.</summary>
    public TimeSpan? PerTryTimeout { get; init; }

    /// <summary>Comma-separated conditions; <see langword="null"/> is Istio's default.</summary>
    public string? RetryOn { get; init; }

    /// <summary>Also hosts in other localities.</summary>
    public bool? RetryRemoteLocalities { get; init; }

    /// <summary>Avoid hosts that already failed; default true.</summary>
    public bool? RetryIgnorePreviousHosts { get; init; }

    /// <summary>Base back-off.</summary>
    public TimeSpan? Backoff { get; init; }
}

/// <summary>Fault injection.</summary>
public sealed record HttpFaultInjection
{
    /// <summary>Delay.</summary>
    public FaultDelay? Delay { get; init; }

    /// <summary>Abort.</summary>
    public FaultAbort? Abort { get; init; }
}

/// <summary>Delays a share of the requests.</summary>
/// <param name="FixedDelay">How long.</param>
/// <param name="Percentage">0–100; 0 when absent.</param>
public sealed record FaultDelay(TimeSpan FixedDelay, double Percentage);

/// <summary>Aborts a share of the requests.</summary>
/// <param name="HttpStatus">HTTP status to answer.</param>
/// <param name="GrpcStatus">gRPC status name to answer.</param>
/// <param name="Percentage">0–100; 0 when absent.</param>
public sealed record FaultAbort(int? HttpStatus, string? GrpcStatus, double Percentage);

/// <summary>A destination that gets a copy.</summary>
/// <param name="Destination">Where to.</param>
/// <param name="Percentage">0–100; 100 when absent.</param>
public sealed record HttpMirror(Destination Destination, double Percentage);

/// <summary>What becomes of a preflight whose origin is not allowed.</summary>
public enum UnmatchedPreflights
{
    /// <summary>Forwarded.</summary>
    Forward,

    /// <summary>Answered 200 without allow-origin.</summary>
    Ignore,
}

/// <summary>CORS policy of a route.</summary>
public sealed record CorsPolicy
{
    /// <summary>Allowed origins; the legacy <c>allowOrigin</c> list is folded in as exact matches.</summary>
    public ImmutableArray<StringMatch> AllowOrigins { get; init; } = [];

    /// <summary>For <c>access-control-allow-methods</c>.</summary>
    public ImmutableArray<string> AllowMethods { get; init; } = [];

    /// <summary>For <c>access-control-allow-headers</c>.</summary>
    public ImmutableArray<string> AllowHeaders { get; init; } = [];

    /// <summary>For <c>access-control-expose-headers</c>.</summary>
    public ImmutableArray<string> ExposeHeaders { get; init; } = [];

    /// <summary>For <c>access-control-max-age</c>.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>For <c>access-control-allow-credentials</c>.</summary>
    public bool AllowCredentials { get; init; }

    /// <summary>What becomes of other preflights.</summary>
    public UnmatchedPreflights UnmatchedPreflights { get; init; }
}

/// <summary>Header operations on request and response.</summary>
public sealed record HeaderRules
{
    /// <summary>On the request.</summary>
    public HeaderOperations Request { get; init; } = HeaderOperations.None;

    /// <summary>On the response.</summary>
    public HeaderOperations Response { get; init; } = HeaderOperations.None;
}

/// <summary>Removes first, then sets, then adds.</summary>
public sealed record HeaderOperations
{
    /// <summary>No operation.</summary>
    public static HeaderOperations None { get; } = new();

    /// <summary>Overwrites or creates.</summary>
    public ImmutableDictionary<string, string> Set { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Appends a value.</summary>
    public ImmutableDictionary<string, string> Add { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Deletes.</summary>
    public ImmutableArray<string> Remove { get; init; } = [];
}

/// <summary>A rule for TLS that is passed through.</summary>
public sealed record TlsRoute
{
    /// <summary>Blocks, any of which must match.</summary>
    public ImmutableArray<L4Match> Match { get; init; } = [];

    /// <summary>Weighted destinations.</summary>
    public ImmutableArray<RouteDestination> Route { get; init; } = [];
}

/// <summary>A rule for TCP.</summary>
public sealed record TcpRoute
{
    /// <summary>Blocks, any of which must match.</summary>
    public ImmutableArray<L4Match> Match { get; init; } = [];

    /// <summary>Weighted destinations.</summary>
    public ImmutableArray<RouteDestination> Route { get; init; } = [];
}

/// <summary>Conditions on a connection.</summary>
public sealed record L4Match
{
    /// <summary>SNI values (TLS only).</summary>
    public ImmutableArray<string> SniHosts { get; init; } = [];

    /// <summary>Destination CIDR blocks.</summary>
    public ImmutableArray<string> DestinationSubnets { get; init; } = [];

    /// <summary>Declared server port.</summary>
    public int? Port { get; init; }

    /// <summary>Labels of the source workload.</summary>
    public ImmutableDictionary<string, string> SourceLabels { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Gateways.</summary>
    public ImmutableArray<string> Gateways { get; init; } = [];

    /// <summary>Namespace of the source workload.</summary>
    public string? SourceNamespace { get; init; }
}

/// <summary>An L4 destination with its share.</summary>
/// <param name="Destination">Where to.</param>
/// <param name="Weight">Relative share.</param>
public sealed record RouteDestination(Destination Destination, int Weight);
