using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Pipeline;
using Yarp.ReverseProxy.Forwarder;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// Hands YARP the request as the backend gets it and the response as the client gets it. One per request context, reused with it.
/// </summary>
internal sealed class RequestTransformer(GatewayContext context) : HttpTransformer
{
    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>The last response was turned down: nothing of it went to the client.</summary>
    public bool HasRejected { get; private set; }

    /// <summary>The last response's head went to the client, or is about to.</summary>
    public bool HasPassedHead { get; private set; }

    /// <summary>The last response's body and trailers went to the client: it is whole, whatever becomes of a request that was still being sent.</summary>
    public bool HasPassedAll { get; private set; }

    public override ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        HasRejected = HasPassedHead = HasPassedAll = false;
        UpstreamRequestHead.Fill(context);
        foreach (ref readonly var line in context.UpstreamHeaders.Lines)
        {
            if (!proxyRequest.Headers.TryAddWithoutValidation(line.Name, line.Value))
            {
                EmptyContent.Of(proxyRequest).Headers.TryAddWithoutValidation(line.Name, line.Value);
            }
        }

        if (context.Upstream.Cluster is { Policy.ConnectionPool.MaxRequestsPerConnection: 1 } && !context.UsesHttp2Upstream && httpContext.Request.Headers.Upgrade.Count == 0)
        {
            proxyRequest.Headers.ConnectionClose = true;
        }

        proxyRequest.Headers.Host = null;
        proxyRequest.Headers.TryAddWithoutValidation("host", context.UpstreamAuthority);
        proxyRequest.RequestUri = new Uri(destinationPrefix + context.UpstreamTarget, in Verbatim);
        return ValueTask.CompletedTask;
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return true;
        }

        if (!context.Upstream.AcceptsHead((int)proxyResponse.StatusCode, One(proxyResponse, "grpc-status"), One(proxyResponse, "x-envoy-ratelimited") is not null))
        {
            HasRejected = true;
            return false;
        }

        HasPassedHead = true;
        UpstreamResponse.Note(context);
        await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        UpstreamResponse.Complete(context);
        context.CountResponseBody();
        await ResponseStart.WaitForBodyAsync(httpContext.Response, proxyResponse, cancellationToken);
        return true;
    }

    public override async ValueTask TransformResponseTrailersAsync(HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken)
    {
        await base.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken);
        HasPassedAll = true;
        if (HttpProtocol.IsHttp2(httpContext.Request.Protocol) && httpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            // The end goes to the client now, not when the request's end has come: a client may be waiting for it before it stops sending.
            await httpContext.Response.CompleteAsync();
        }
    }

    private static string? One(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
