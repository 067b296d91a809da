namespace Portcullis.Gateway.Listeners;

/// <summary>How long a connection may take before its first request.</summary>
internal static class ListenerTimeouts
{
    /// <summary>For a PROXY header (Envoy's <c>listener_filters_timeout</c>).</summary>
    public static readonly TimeSpan Filters = TimeSpan.FromSeconds(15);
}
