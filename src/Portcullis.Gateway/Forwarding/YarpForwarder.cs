using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
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
        _invoker = new HttpMessageInvoker(new EmptyContent.Handler(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            EnableMultipleHttp2Connections = true,
            ActivityHeadersPropagator = null,
            ConnectTimeout = ConnectTimeout,
            ConnectCallback = UpstreamConnection.ConnectAsync,
            PooledConnectionIdleTimeout = TimeSpan.FromHours(1),
            MaxResponseHeadersLength = 60,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        }));
    }

    public override async ValueTask<ForwardResult> ForwardAsync(GatewayContext context, CancellationToken cancellationToken)
    {
        var http = context.Http;
        var config = UsesHttp2(context) ? Http2 : Http1;
        context.UpstreamStartTimestamp = Stopwatch.GetTimestamp();
        var error = await _forwarder.SendAsync(http, context.Endpoint!.Prefix, _invoker, config, context.Transformer, cancellationToken);
        if (error != ForwarderError.None)
        {
            return Explain(context, error, cancellationToken);
        }

        if (context.Transformer.HasRejected)
        {
            ClearStatus(http);
            return new(ForwardOutcome.HeadRejected);
        }

        return new(ForwardOutcome.Completed);
    }

    public void Dispose() => _invoker.Dispose();

    private static bool UsesHttp2(GatewayContext context) => context.Cluster!.Protocol switch
    {
        UpstreamProtocol.Http2 => true,
        UpstreamProtocol.SameAsClient => HttpProtocol.IsHttp2(context.Http.Request.Protocol),
        _ => false,
    };

    private static ForwardResult Explain(GatewayContext context, ForwarderError error, CancellationToken cancellationToken)
    {
        var http = context.Http;
        var exception = http.Features.Get<IForwarderErrorFeature>()?.Exception;
        http.Features.Set<IForwarderErrorFeature>(null);
        var clientLeft = http.RequestAborted.IsCancellationRequested && !cancellationToken.IsCancellationRequested;
        if (http.Response.HasStarted || context.Transformer.HasPassedHead)
        {
            return new(clientLeft ? ForwardOutcome.ClientFailed : ForwardOutcome.BrokenResponse);
        }

        ClearStatus(http);
        if (clientLeft)
        {
            return new(ForwardOutcome.ClientFailed);
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return new(ForwardOutcome.Canceled);
        }

        return error is ForwarderError.RequestBodyClient or ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled
            ? new(ForwardOutcome.ClientFailed)
            : FromException(exception);
    }

    /// <summary>What YARP put there (502, 504, 400, or a rejected backend's status) is replaced by what comes next.</summary>
    private static void ClearStatus(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
    }

    private static ForwardResult FromException(Exception? exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case HttpProtocolException { ErrorCode: RefusedStream }:
                    return new(ForwardOutcome.RefusedStream);
                case HttpProtocolException { HttpRequestError: HttpRequestError.HttpProtocolError } reset:
                    return new(reset.ErrorCode == 1 ? ForwardOutcome.ProtocolError : ForwardOutcome.Reset);
                case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }:
                    return new(ForwardOutcome.ConnectFailed, ReasonOf(e));
                case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }:
                    return new(ForwardOutcome.ConnectFailed, "TLS handshake failed");
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded }:
                    return new(ForwardOutcome.ProtocolError);
                case UpstreamClosedException:
                    return new(ForwardOutcome.ClosedBeforeResponse);
                case TimeoutException:
                    return new(ForwardOutcome.ConnectTimeout);
            }
        }

        return new(ForwardOutcome.ClosedBeforeResponse);
    }

    private const long RefusedStream = 7;

    private static string? ReasonOf(Exception exception) => exception.GetBaseException() switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "delayed connect error: Connection refused",
        SocketException s => $"delayed connect error: {s.SocketErrorCode}",
        _ => null,
    };
}
