using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Portcullis.Gateway.Pipeline;
using Yarp.ReverseProxy.Forwarder;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Forwards with YARP's direct forwarder over pooled connections.</summary>
internal sealed class YarpForwarder : Forwarder, IDisposable
{
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
    // Connections live as long as somebody has their profile: what a reload replaces goes when its last request is over.
    private readonly ConditionalWeakTable<ConnectionProfile, HttpMessageInvoker> _invokers = [];

    public YarpForwarder(IServiceProvider services) => _forwarder = services.GetRequiredService<IHttpForwarder>();

    public override async ValueTask<ForwardResult> ForwardAsync(GatewayContext context, CancellationToken cancellationToken)
    {
        var http = context.Http;
        var config = context.UsesHttp2Upstream ? Http2 : Http1;
        var profile = context.Upstream.Cluster!.Profile;
        var prefix = profile.Tls is null ? context.Endpoint!.ClearPrefix : context.Endpoint!.SecurePrefix;
        context.UpstreamStartTimestamp = Stopwatch.GetTimestamp();
        var error = await _forwarder.SendAsync(http, prefix, _invokers.GetValue(profile, Connect), config, context.Transformer, cancellationToken);
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

    /// <summary>Sends a request that is not a client's over a cluster's connections.</summary>
    public Task<HttpResponseMessage> SendAsync(ConnectionProfile profile, HttpRequestMessage request, CancellationToken cancellationToken) =>
        _invokers.GetValue(profile, Connect).SendAsync(request, cancellationToken);

    public void Dispose()
    {
        foreach (var (_, invoker) in _invokers)
        {
            invoker.Dispose();
        }
    }

    private static HttpMessageInvoker Connect(ConnectionProfile profile)
    {
        var limits = profile.Limits;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            EnableMultipleHttp2Connections = true,
            MaxConnectionsPerServer = limits.MaxConnections,
            ActivityHeadersPropagator = null,
            ConnectTimeout = limits.ConnectTimeout,
            PooledConnectionIdleTimeout = limits.IdleTimeout,
            // A lifetime of zero is how the client is told not to use a connection again.
            PooledConnectionLifetime = limits.MaxRequestsPerConnection == 1 ? TimeSpan.Zero : limits.MaxConnectionDuration ?? Timeout.InfiniteTimeSpan,
            MaxResponseHeadersLength = 60,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ConnectCallback = (connection, token) => UpstreamConnector.ConnectAsync(
                profile,
                connection.DnsEndPoint,
                connection.InitialRequestMessage.Headers.Host,
                connection.InitialRequestMessage.Version.Major == 2,
                token),
        };
        if (limits.Http2KeepAliveInterval is { } interval)
        {
            handler.KeepAlivePingDelay = interval;
            handler.KeepAlivePingTimeout = limits.Http2KeepAliveTimeout ?? handler.KeepAlivePingTimeout;
        }

        return new HttpMessageInvoker(new EmptyContent.Handler(handler));
    }

    private static ForwardResult Explain(GatewayContext context, ForwarderError error, CancellationToken cancellationToken)
    {
        var http = context.Http;
        var exception = http.Features.Get<IForwarderErrorFeature>()?.Exception;
        http.Features.Set<IForwarderErrorFeature>(null);
        if (context.Transformer.HasPassedAll)
        {
            // A backend may answer before it has the whole request, and then not take the rest (RFC 9113 §8.1).
            return new(ForwardOutcome.Completed);
        }

        // YARP itself aborts the client's request when a response breaks off, which looks as if the client had left.
        var clientLeft = http.RequestAborted.IsCancellationRequested && !cancellationToken.IsCancellationRequested && !IsOfBackend(error);
        if (http.Response.HasStarted || context.Transformer.HasPassedHead)
        {
            return clientLeft
                ? new(ForwardOutcome.ClientFailed)
                : new(ForwardOutcome.BrokenResponse, IsReset: FromException(exception).Outcome is ForwardOutcome.Reset or ForwardOutcome.RefusedStream or ForwardOutcome.ConnectReset);
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

    /// <summary>The response could not be read on.</summary>
    private static bool IsOfBackend(ForwarderError error) => error is ForwarderError.ResponseBodyDestination or ForwarderError.UpgradeResponseDestination;

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
            // The HTTP client says no more than that connecting failed; the connector knows why.
            if (e is UpstreamTlsException tls)
            {
                return new(ForwardOutcome.ConnectFailed, tls.Message);
            }
        }

        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case HttpProtocolException ended:
                    return new(Http2Failure.Explain(ended));
                case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError }:
                    return new(ForwardOutcome.ConnectFailed, ConnectFailure.ReasonOf(e));
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
}
