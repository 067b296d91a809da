using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>How request paths are normalised (<c>pathNormalization.normalization</c>).</summary>
public enum PathNormalizationMode
{
    /// <summary>Istio's default: <see cref="Base"/>.</summary>
    Default,

    /// <summary>Only the fragment is cut.</summary>
    None,

    /// <summary>RFC 3986: dot segments, backslashes, unreserved escapes.</summary>
    Base,

    /// <summary><see cref="Base"/>, and runs of slashes become one.</summary>
    MergeSlashes,

    /// <summary><c>%2F</c> and <c>%5C</c> decoded first, then as <see cref="MergeSlashes"/>.</summary>
    DecodeAndMergeSlashes,
}

/// <summary>What a denied request is answered when another token could have passed (<c>authorizationDenied</c>).</summary>
public enum AuthorizationDeniedMode
{
    /// <summary>401 with a challenge; 403 where no token could pass.</summary>
    Challenge,

    /// <summary>Always 403, as Istio.</summary>
    Forbidden,
}

/// <summary>Whether a token with <c>iss</c> but no <c>sub</c> has a principal (<c>principalWithoutSub</c>).</summary>
public enum PrincipalWithoutSubMode
{
    /// <summary>It has the principal <c>iss/</c>, and <c>*</c> accepts it.</summary>
    Accept,

    /// <summary>It has none, as Istio.</summary>
    Reject,
}

/// <summary>Which readings of a path a DENY rule is held against (<c>denyPathReadings</c>).</summary>
public enum DenyPathReadingsMode
{
    /// <summary>The normalised path, its slash-merged reading, and its decoded and merged reading.</summary>
    All,

    /// <summary>The normalised path only, as Istio.</summary>
    Exact,
}

/// <summary>What becomes of <c>x-forwarded-client-cert</c> (<c>gatewayTopology.forwardClientCertDetails</c>).</summary>
public enum ForwardClientCertDetails
{
    /// <summary>The client's header is removed, and one is written for a client with a certificate.</summary>
    SanitizeSet,

    /// <summary>Removed; none is written.</summary>
    Sanitize,

    /// <summary>The header of a client with a certificate passes.</summary>
    ForwardOnly,

    /// <summary>As <see cref="ForwardOnly"/>, with the client's certificate appended.</summary>
    AppendForward,

    /// <summary>Every client's header passes.</summary>
    AlwaysForwardOnly,
}

/// <summary>Format of the access log.</summary>
public enum AccessLogEncoding
{
    /// <summary>One line of text.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}

/// <summary>Istio's MeshConfig, as far as a gateway uses it, with Portcullis' own keys.</summary>
public sealed record MeshConfig
{
    /// <summary>Istio's defaults.</summary>
    public static MeshConfig Default { get; } = new();

    /// <summary><c>pathNormalization.normalization</c>.</summary>
    public PathNormalizationMode PathNormalization { get; init; }

    /// <summary><c>rootNamespace</c>; <see langword="null"/> leaves the command line's.</summary>
    public string? RootNamespace { get; init; }

    /// <summary><c>trustDomain</c>.</summary>
    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary><c>trustDomainAliases</c>.</summary>
    public ImmutableArray<string> TrustDomainAliases { get; init; } = [];

    /// <summary><c>accessLogFile</c>; empty is off.</summary>
    public string AccessLogFile { get; init; } = "";

    /// <summary><c>accessLogFormat</c>; empty is Istio's default for the encoding.</summary>
    public string AccessLogFormat { get; init; } = "";

    /// <summary><c>accessLogEncoding</c>.</summary>
    public AccessLogEncoding AccessLogEncoding { get; init; }

    /// <summary><c>defaultConfig.gatewayTopology.numTrustedProxies</c>.</summary>
    public int NumTrustedProxies { get; init; }

    /// <summary><c>defaultConfig.gatewayTopology.proxyProtocol</c> is given.</summary>
    public bool ProxyProtocol { get; init; }

    /// <summary><c>defaultConfig.gatewayTopology.forwardClientCertDetails</c>.</summary>
    public ForwardClientCertDetails ForwardClientCertDetails { get; init; }

    /// <summary><c>extensionProviders</c>.</summary>
    public ImmutableArray<ExtensionProvider> ExtensionProviders { get; init; } = [];

    /// <summary><c>localityLbSetting</c> or <c>zoneAwareLbSetting</c>; on unless switched off.</summary>
    public LocalityLoadBalancing Locality { get; init; } = new();

    /// <summary>Defaults of the way to backends.</summary>
    public MeshTraffic Traffic { get; init; } = MeshTraffic.Default;

    /// <summary><c>defaultConfig.proxyHeaders</c>.</summary>
    public ProxyHeaders ProxyHeaders { get; init; } = ProxyHeaders.Default;

    /// <summary>Where spans go, and how many.</summary>
    public MeshTracing Tracing { get; init; } = new();

    /// <summary><c>authorizationDenied</c> (Portcullis' own).</summary>
    public AuthorizationDeniedMode AuthorizationDenied { get; init; }

    /// <summary><c>principalWithoutSub</c> (Portcullis' own).</summary>
    public PrincipalWithoutSubMode PrincipalWithoutSub { get; init; }

    /// <summary><c>denyPathReadings</c> (Portcullis' own).</summary>
    public DenyPathReadingsMode DenyPathReadings { get; init; }

    /// <summary><c>serverHeader</c> (Portcullis' own), else <c>defaultConfig.proxyHeaders.server.value</c>: value of the <c>server</c> response header.</summary>
    public string ServerHeader { get; init; } = "portcullis";
}

/// <summary>An external authorizer (<c>extensionProviders[]</c>).</summary>
public sealed record ExtensionProvider
{
    /// <summary>Unique name.</summary>
    public required string Name { get; init; }

    /// <summary>gRPC (<c>envoyExtAuthzGrpc</c>) instead of HTTP (<c>envoyExtAuthzHttp</c>).</summary>
    public required bool IsGrpc { get; init; }

    /// <summary><c>[namespace/]fqdn</c>.</summary>
    public required string Service { get; init; }

    /// <summary>1–65535.</summary>
    public required int Port { get; init; }

    /// <summary>Limit per check; <see langword="null"/> is 600 s.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Errors let the request pass.</summary>
    public bool FailOpen { get; init; }

    /// <summary>Status on error; <see langword="null"/> is 403.</summary>
    public int? StatusOnError { get; init; }

    /// <summary>Put before the path of the check (HTTP).</summary>
    public string PathPrefix { get; init; } = "";

    /// <summary>Request headers sent with the check (HTTP).</summary>
    public ImmutableArray<string> IncludeRequestHeadersInCheck { get; init; } = [];

    /// <summary>Fixed headers sent with the check (HTTP).</summary>
    public ImmutableDictionary<string, string> IncludeAdditionalHeadersInCheck { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Body forwarding; <see langword="null"/> is off.</summary>
    public CheckRequestBody? IncludeRequestBodyInCheck { get; init; }

    /// <summary>Copied to the request on allow (HTTP).</summary>
    public ImmutableArray<string> HeadersToUpstreamOnAllow { get; init; } = [];

    /// <summary>Copied to the response on deny (HTTP).</summary>
    public ImmutableArray<string> HeadersToDownstreamOnDeny { get; init; } = [];

    /// <summary>Copied to the response on allow (HTTP).</summary>
    public ImmutableArray<string> HeadersToDownstreamOnAllow { get; init; } = [];
}

/// <summary>How much of the body goes with a check.</summary>
/// <param name="MaxRequestBytes">Most bytes.</param>
/// <param name="AllowPartialMessage">Send what fits instead of 413.</param>
/// <param name="PackAsBytes">gRPC: as bytes.</param>
public sealed record CheckRequestBody(int MaxRequestBytes, bool AllowPartialMessage, bool PackAsBytes);
