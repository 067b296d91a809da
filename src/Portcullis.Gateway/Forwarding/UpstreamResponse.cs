using System.Diagnostics;
using System.Globalization;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding;

/// <summary>What every forwarder does with a response that goes to the client, around copying its headers.</summary>
internal static class UpstreamResponse
{
    /// <summary>Notes when the head came. Before its headers are copied.</summary>
    public static void Note(GatewayContext context) =>
        context.UpstreamServiceTime = (long)Stopwatch.GetElapsedTime(context.UpstreamStartTimestamp).TotalMilliseconds;

    /// <summary>Adds the gateway's own headers. After the backend's were copied.</summary>
    public static void Complete(GatewayContext context)
    {
        if (context.Snapshot.Mesh.ProxyHeaders.HasDebugHeaders)
        {
            context.Http.Response.Headers["x-envoy-upstream-service-time"] = context.UpstreamServiceTime.ToString(CultureInfo.InvariantCulture);
        }

        context.ResponseDetails = "via_upstream";
        ResponseHeaders.Complete(context);
    }
}
