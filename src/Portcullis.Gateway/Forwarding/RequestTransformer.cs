using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Portcullis.Gateway.Pipeline;
using Portcullis.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// Writes the request as the backend gets it and the response as the client gets it. One per request context, reused with it.
/// </summary>
internal sealed class RequestTransformer(GatewayContext context) : HttpTransformer
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private static readonly UriCreationOptions Verbatim = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>The last response was turned down: nothing of it went to the client.</summary>
    public bool HasRejected { get; private set; }

    /// <summary>The last response's head went to the client, or is about to.</summary>
    public bool HasPassedHead { get; private set; }

    public override ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        HasRejected = HasPassedHead = false;
        var headers = httpContext.Request.Headers;
        foreach (var (name, values) in headers)
        {
            if (name.StartsWith(':') || HopByHopHeaders.Contains(name) || IsReplaced(name) || IsContinueExpected(name, values))
            {
                continue;
            }

            Add(proxyRequest, name, values);
        }

        if (context.Upstream.Cluster is { Policy.ConnectionPool.MaxRequestsPerConnection: 1 } && !context.UsesHttp2Upstream && headers.Upgrade.Count == 0)
        {
            proxyRequest.Headers.ConnectionClose = true;
        }

        if (headers.TE is [{ } te] && te.Contains("trailers", StringComparison.OrdinalIgnoreCase))
        {
            Add(proxyRequest, HeaderNames.TE, "trailers");
        }

        AddForwarded(proxyRequest);
        Mutate(proxyRequest);
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
        context.UpstreamServiceTime = (long)Stopwatch.GetElapsedTime(context.UpstreamStartTimestamp).TotalMilliseconds;
        await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        var headers = httpContext.Response.Headers;
        headers["x-envoy-upstream-service-time"] = context.UpstreamServiceTime.ToString(CultureInfo.InvariantCulture);
        context.ResponseDetails = "via_upstream";
        ResponseHeaders.Complete(context);
        context.CountResponseBody();
        await ResponseStart.WaitForBodyAsync(httpContext.Response, proxyResponse, cancellationToken);
        return true;
    }

    private static string? One(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    /// <summary>The server in front answers <c>Expect: 100-continue</c> when the body is first read.</summary>
    private static bool IsContinueExpected(string name, StringValues values) =>
        name.Equals(HeaderNames.Expect, StringComparison.OrdinalIgnoreCase)
        && values is [{ } value] && value.Equals("100-continue", StringComparison.OrdinalIgnoreCase);

    /// <summary>Headers that the gateway writes anew, whatever the client sent.</summary>
    private static bool IsReplaced(string name) => name.ToLowerInvariant() switch
    {
        "host" or "x-forwarded-for" or "x-forwarded-proto" or "x-request-id" => true,
        _ => false,
    };

    private static void Add(HttpRequestMessage request, string name, StringValues values)
    {
        if (values.Count == 1)
        {
            var value = values[0];
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                EmptyContent.Of(request).Headers.TryAddWithoutValidation(name, value);
            }
        }
        else if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
        {
            EmptyContent.Of(request).Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
    }

    private static void Remove(HttpRequestMessage request, string name)
    {
        // A name that belongs to the other collection is an error to Remove.
        if (request.Headers.NonValidated.Contains(name))
        {
            request.Headers.Remove(name);
        }
        else if (EmptyContent.Find(request) is { } content && content.Headers.NonValidated.Contains(name))
        {
            content.Headers.Remove(name);
        }
    }

    private void AddForwarded(HttpRequestMessage request)
    {
        Add(request, "x-forwarded-for", context.ForwardedFor);
        Add(request, "x-forwarded-proto", context.Scheme);
        Add(request, "x-request-id", context.RequestId);
        Add(request, "x-envoy-attempt-count", context.Attempt.ToString(CultureInfo.InvariantCulture));
        if (context.RemoteAddress is { } client)
        {
            Add(request, "x-envoy-external-address", client.ToString());
        }

        if (context.Upstream.ExpectedTimeout is { } timeout)
        {
            // A rest below a millisecond is still a limit, which 0 would not be.
            timeout = timeout < Shortest ? Shortest : timeout;
            Add(request, "x-envoy-expected-rq-timeout-ms", ((long)timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
            if (LocalReply.IsGrpc(context.Http.Request))
            {
                Remove(request, "grpc-timeout");
                Add(request, "grpc-timeout", GrpcTimeout.Format(timeout));
            }
        }

        if (context.OriginalTarget is { } original)
        {
            Add(request, "x-envoy-original-path", original);
        }

        if (context.Destination!.Authority is not null)
        {
            Add(request, "x-envoy-original-host", context.Authority);
        }
    }

    private void Mutate(HttpRequestMessage request)
    {
        if (context.Destination!.RequestHeaders is not { IsEmpty: false } mutations)
        {
            return;
        }

        var source = new HeaderCommandSource(context);
        foreach (var mutation in mutations.Operations)
        {
            var value = mutation.Value.Render(in source);
            if (mutation.Kind == HeaderMutationKind.Remove)
            {
                Remove(request, mutation.Name);
            }
            else if (value.Length > 0)
            {
                if (mutation.Kind == HeaderMutationKind.Set)
                {
                    Remove(request, mutation.Name);
                }

                Add(request, mutation.Name, value);
            }
        }
    }
}
