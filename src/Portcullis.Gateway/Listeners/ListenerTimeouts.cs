namespace Portcullis.Gateway.Listeners;

/// <summary>How long a connection may take before its first request.</summary>
internal static class ListenerTimeouts
{
    /// <summary>For a PROXY header (Envoy's <c>listener_filters_timeout</c>).</summary>
    public static readonly TimeSpan Filters = TimeSpan.FromSeconds(15);

    /// <summary>For the first byte, and between requests (Istio's <c>ISTIO_META_IDLE_TIMEOUT</c>).</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromHours(1);

    /// <summary>For the rest of a request's head once it has begun.</summary>
    public static readonly TimeSpan RequestHeaders = TimeSpan.FromSeconds(60);
}
