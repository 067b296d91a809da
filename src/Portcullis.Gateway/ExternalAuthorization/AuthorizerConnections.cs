using System.Net;
using System.Text;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>
/// The connections to all external authorizers, by endpoint and protocol. They survive every reload; those of an endpoint that is asked no more are closed
/// once they have been idle for a minute.
/// </summary>
internal sealed class AuthorizerConnections : IDisposable
{
    private const int MaxConnections = 1024;

    /// <summary>Istio's default connect timeout.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Sends a check to the endpoint that its URL names. Header values of answers come one character a byte.</summary>
    public HttpMessageInvoker Invoker { get; } = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = IdleTimeout,
        MaxConnectionsPerServer = MaxConnections,
        MaxResponseHeadersLength = 60,
        MaxResponseDrainSize = 64 * 1024,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
    });

    public void Dispose() => Invoker.Dispose();
}
