namespace Portcullis.Gateway.Limits;

/// <summary>
/// What a client may take of the gateway. The operator sets each with <c>--limit NAME=VALUE</c> (<see cref="LimitSettings"/>); what a client sees of
/// each is in docs/reference/limits.md. Zero is "no limit" where a limit is optional.
/// </summary>
public sealed record GatewayLimits
{
    /// <summary>Bytes of a request's line and headers together (Envoy's <c>max_request_headers_kb</c>); 431 beyond.</summary>
    public int RequestHeadersBytes { get; init; } = 60 * 1024;

    /// <summary>Number of a request's headers (Envoy's <c>max_headers_count</c>); 431 beyond.</summary>
    public int RequestHeaders { get; init; } = 100;

    /// <summary>Bytes of a request's body; 0 is without limit, as in Istio. 413 beyond.</summary>
    public long RequestBodyBytes { get; init; }

    /// <summary>From a request's first byte to the end of its headers (Envoy's <c>request_headers_timeout</c>).</summary>
    public TimeSpan RequestHeadersTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A connection without a request (Envoy's <c>idle_timeout</c>, Istio's <c>ISTIO_META_IDLE_TIMEOUT</c>).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Bytes a second at which a request's body must come; 0, the default, takes any, for a quiet stream is not a slow one.</summary>
    public int RequestBodyMinRate { get; init; }

    /// <summary>Whether a request's body has to be watched.</summary>
    internal bool HoldsBodies => RequestBodyBytes > 0 || RequestBodyMinRate > 0;

    /// <summary>Bytes a second at which a client must take what is ready for it; 0 waits for ever. A response with nothing ready is never slow.</summary>
    public int ResponseMinRate { get; init; } = 240;

    /// <summary>How long either rate may be missed before the connection is cut.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Requests after which a connection is closed in good order (Envoy's <c>max_requests_per_connection</c>); 0 is without limit.</summary>
    public int RequestsPerConnection { get; init; }

    /// <summary>Requests in flight of one HTTP/2 connection (Envoy's <c>max_concurrent_streams</c>).</summary>
    public int StreamsPerConnection { get; init; } = 1024;

    /// <summary>
    /// Connections of all listeners together (Envoy's <c>global_downstream_max_connections</c>). Default: what the limit of file descriptors
    /// allows, with as many left for backends.
    /// </summary>
    public int Connections { get; init; } = FileDescriptors.DefaultConnections;

    /// <summary>Connections of one listener (Envoy's <c>connection_limit</c>); 0 is without limit of its own.</summary>
    public int ConnectionsPerListener { get; init; }

    /// <summary>Requests in flight of all listeners together; 0 is without limit. More are answered 503.</summary>
    public int ActiveRequests { get; init; }

    /// <summary>How late work may begin for want of a thread before requests are answered 503; zero never minds.</summary>
    public TimeSpan QueueDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Percent of the memory that the process may have, beyond which requests are answered 503; 0 never minds.</summary>
    public int MemoryPercent { get; init; } = 90;
}
