namespace Portcullis.Resources;

/// <summary>Headers that the gateway sets of its own accord (<c>defaultConfig.proxyHeaders</c>).</summary>
public sealed record ProxyHeaders
{
    /// <summary>Istio's defaults.</summary>
    public static ProxyHeaders Default { get; } = new();

    /// <summary><c>server.disabled</c>: the backend's <c>server</c> header passes, and the gateway's own answers have none.</summary>
    public bool PassesServer { get; init; }

    /// <summary><c>requestId</c> is not disabled: every request gets a new <c>x-request-id</c>. Otherwise the client's passes.</summary>
    public bool GeneratesRequestId { get; init; } = true;

    /// <summary><c>attemptCount</c> is not disabled: backends get <c>x-envoy-attempt-count</c>.</summary>
    public bool HasAttemptCount { get; init; } = true;

    /// <summary>
    /// <c>envoyDebugHeaders</c> is not disabled: <c>x-envoy-expected-rq-timeout-ms</c>, <c>x-envoy-original-path</c>, <c>x-envoy-original-host</c>,
    /// <c>x-envoy-upstream-service-time</c> and <c>x-envoy-overloaded</c>.
    /// </summary>
    public bool HasDebugHeaders { get; init; } = true;

    /// <summary><c>xForwardedHost.enabled</c>: a host that is rewritten is added to <c>x-forwarded-host</c>.</summary>
    public bool HasForwardedHost { get; init; }

    /// <summary><c>xForwardedPort.enabled</c>: backends get the port that the client connected to.</summary>
    public bool HasForwardedPort { get; init; }
}
