using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Portcullis.Gateway.Pipeline;
using Portcullis.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Forwards with YARP's direct forwarder over pooled connections.</summary>
internal sealed class YarpForwarder : Forwarder, IDisposable
{
    /// <summary>Istio's default connect timeout.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    // Istio has no idle limit on a stream; YARP's own default would cut a silent response after 100 s.
    private static readonly TimeSpan NoActivityLimit = TimeSpan.FromDays(24);

    private static readonly ForwarderRequestConfig Http1 = new()
    {
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        ActivityTimeout = NoActivityLimit,
    };

    private static readonly ForwarderRequestConfig Http2 = Http1 with { Version = HttpVersion.Version20 };

    private readonly IHttpForwarder _forwarder;
    private readonly HttpMessageInvoker _invoker;

    public YarpForwarder(IServiceProvider services)
    {
        _forwarder = services.GetRequiredService<IHttpForwarder>();
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            EnableMultipleHttp2Connections = true,
            ActivityHeadersPropagator = null,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromHours(1),
            MaxResponseHeadersLength = 60,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        });
    }

    public override async ValueTask<ForwardOutcome> ForwardAsync(GatewayContext context, CancellationToken timeout)
    {
        var http = context.Http;
        var config = UsesHttp2(context) ? Http2 : Http1;
        context.UpstreamStartTimestamp = Stopwatch.GetTimestamp();
        var error = await _forwarder.SendAsync(http, context.Endpoint!.Prefix, _invoker, config, context.Transformer, timeout);
        return error == ForwarderError.None ? ForwardOutcome.Completed : Explain(context, error, timeout);
    }

    public void Dispose() => _invoker.Dispose();

    private static bool UsesHttp2(GatewayContext context) => context.Cluster!.Protocol switch
    {
        UpstreamProtocol.Http2 => true,
        UpstreamProtocol.SameAsClient => HttpProtocol.IsHttp2(context.Http.Request.Protocol),
        _ => false,
    };

    private static ForwardOutcome Explain(GatewayContext context, ForwarderError error, CancellationToken timeout)
    {
        var http = context.Http;
        var exception = http.Features.Get<IForwarderErrorFeature>()?.Exception;
        http.Features.Set<IForwarderErrorFeature>(null);
        if (http.Response.HasStarted)
        {
            return http.RequestAborted.IsCancellationRequested ? ForwardOutcome.ClientFailed : ForwardOutcome.BrokenResponse;
        }

        // What YARP put there (502, 504, 400) is replaced by Envoy's form of it.
        http.Response.StatusCode = StatusCodes.Status200OK;
        if (http.RequestAborted.IsCancellationRequested)
        {
            return ForwardOutcome.ClientFailed;
        }

        if (timeout.IsCancellationRequested)
        {
            return ForwardOutcome.Timeout;
        }

        if (error is ForwarderError.RequestBodyClient or ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled)
        {
            return ForwardOutcome.ClientFailed;
        }

        return FromException(context, exception);
    }

    private static ForwardOutcome FromException(GatewayContext context, Exception? exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }:
                    context.UpstreamFailureReason = ReasonOf(e);
                    return ForwardOutcome.ConnectFailed;
                case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }:
                    context.UpstreamFailureReason = "TLS handshake failed";
                    return ForwardOutcome.ConnectFailed;
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError or HttpRequestError.ConfigurationLimitExceeded }:
                    return ForwardOutcome.ProtocolError;
                case TimeoutException:
                    return ForwardOutcome.ConnectTimeout;
            }
        }

        return ForwardOutcome.ClosedBeforeResponse;
    }

    private static string? ReasonOf(Exception exception) => exception.GetBaseException() switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "delayed connect error: Connection refused",
        SocketException s => $"delayed connect error: {s.SocketErrorCode}",
        _ => null,
    };
}
