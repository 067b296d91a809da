using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// Copies of one request for a route's <c>mirrors</c> (routing.md §2.12). They are made when the request goes upstream, and sent when all of its body is here.
/// A body above <see cref="ReplayBody.Limit"/> is not copied.
/// </summary>
internal sealed class RequestMirror
{
    private readonly List<(MirrorSender Sender, HttpRequestMessage Request, UpstreamCluster Cluster, UpstreamEndpoint Endpoint)> _copies = [];

    private RequestMirror()
    {
    }

    /// <summary>Draws by the percentages.</summary>
    /// <returns><see langword="null"/> when there is no copy to send.</returns>
    public static async ValueTask<RequestMirror?> DrawAsync(GatewayContext context, ForwardAction action, MirrorSender sender)
    {
        RequestMirror? mirror = null;
        foreach (var target in action.Mirrors)
        {
            if (target.Cluster is not { } cluster || Random.Shared.NextDouble() * 100 >= target.Percentage)
            {
                continue;
            }

            var upstream = await context.Snapshot.Upstreams.ResolveAsync(cluster, context.Http.RequestAborted);
            if (upstream.Pick() is { } endpoint)
            {
                mirror ??= new();
                mirror._copies.Add((sender, await MirrorSender.CreateAsync(context, cluster, upstream, endpoint), upstream, endpoint));
            }
        }

        return mirror;
    }

    /// <summary>Sends the copies; nobody waits for them.</summary>
    /// <param name="body">The whole body.</param>
    public void Send(ReadOnlySpan<byte> body)
    {
        foreach (var (sender, request, cluster, endpoint) in _copies)
        {
            sender.Send(request, body.ToArray(), cluster, endpoint);
        }

        _copies.Clear();
    }
}
