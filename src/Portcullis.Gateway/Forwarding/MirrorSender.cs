using System.Net;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Pipeline;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Sends copies of requests and throws their answers away. Nothing that happens to a copy is seen by the client.</summary>
internal sealed class MirrorSender(YarpForwarder forwarder, TimeProvider time)
{
    /// <summary>Copies in flight; further ones are dropped, so that a slow mirror cannot use up the gateway.</summary>
    private const int MaxInFlight = 256;

    /// <summary>A mirror that takes longer is given up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private int _inFlight;

    /// <summary>The request as the mirror gets it: what the backend gets, Host included.</summary>
    public static async ValueTask<HttpRequestMessage> CreateAsync(GatewayContext context, Cluster cluster, UpstreamCluster upstream, UpstreamEndpoint endpoint)
    {
        var http2 = cluster.Protocol == UpstreamProtocol.Http2 || (cluster.Protocol == UpstreamProtocol.SameAsClient && HttpProtocol.IsHttp2(context.Http.Request.Protocol));
        var request = new HttpRequestMessage
        {
            Method = new HttpMethod(context.Http.Request.Method),
            Version = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        await context.Transformer.TransformRequestAsync(
            context.Http, request, upstream.Profile.Tls is null ? endpoint.ClearPrefix : endpoint.SecurePrefix, CancellationToken.None);
        return request;
    }

    /// <summary>Sends it, if there is room.</summary>
    public void Send(HttpRequestMessage request, byte[] body, UpstreamCluster cluster, UpstreamEndpoint endpoint)
    {
        if (Interlocked.Increment(ref _inFlight) > MaxInFlight)
        {
            Interlocked.Decrement(ref _inFlight);
            request.Dispose();
            return;
        }

        _ = SendAsync(request, body, cluster, endpoint);
    }

    private async Task SendAsync(HttpRequestMessage request, byte[] body, UpstreamCluster cluster, UpstreamEndpoint endpoint)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        endpoint.Begin();
        try
        {
            if (body.Length > 0)
            {
                Attach(request, body);
            }

            using var patience = new CancellationTokenSource(Patience, time);
            using var response = await forwarder.SendAsync(cluster.Profile, request, patience.Token);
            await response.Content.CopyToAsync(Stream.Null, patience.Token);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException or UpstreamClosedException or UpstreamTlsException)
        {
            // The mirror is down, slow, or does not speak HTTP: the client does not care.
        }
        finally
        {
            endpoint.End();
            Interlocked.Decrement(ref _inFlight);
            request.Dispose();
        }
    }

    private static void Attach(HttpRequestMessage request, byte[] body)
    {
        var content = new ByteArrayContent(body);
        if (EmptyContent.Find(request) is { } headers)
        {
            foreach (var (name, values) in headers.Headers.NonValidated)
            {
                if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                {
                    content.Headers.TryAddWithoutValidation(name, values);
                }
            }
        }

        request.Content = content;
    }
}
