using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding;

/// <summary>How an attempt to forward ended.</summary>
internal enum ForwardOutcome
{
    /// <summary>The response was passed on to its end.</summary>
    Completed,

    /// <summary>The response head was turned down (<see cref="UpstreamRequest.AcceptsHead"/>): nothing of it went to the client.</summary>
    HeadRejected,

    /// <summary>No connection could be made, TLS included: nothing was sent, so another endpoint may be tried.</summary>
    ConnectFailed,

    /// <summary>No connection within the connect timeout; nothing was sent.</summary>
    ConnectTimeout,

    /// <summary>The backend closed the connection before it answered.</summary>
    ClosedBeforeResponse,

    /// <summary>The backend reset the stream (HTTP/2 RST_STREAM) before it answered.</summary>
    Reset,

    /// <summary>The backend refused the stream (HTTP/2 REFUSED_STREAM): it has done nothing with the request.</summary>
    RefusedStream,

    /// <summary>The backend reset the stream with CONNECT_ERROR: what it was to connect to failed it.</summary>
    ConnectReset,

    /// <summary>The backend spoke something that is not HTTP.</summary>
    ProtocolError,

    /// <summary>The token given to the attempt was cancelled before the response began.</summary>
    Canceled,

    /// <summary>A limit of the connection pool was reached: the attempt was not made.</summary>
    Overflow,

    /// <summary>The client went away, or sent a body that could not be read.</summary>
    ClientFailed,

    /// <summary>The response broke off after its head was accepted; the client's connection or stream was reset.</summary>
    BrokenResponse,
}

/// <summary>What is known of an attempt after it.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="TransportFailure">Envoy's transport failure reason of a connection that could not be made.</param>
/// <param name="IsReset">A broken response was one stream's (HTTP/2 RST_STREAM), not the connection's.</param>
internal readonly record struct ForwardResult(ForwardOutcome Outcome, string? TransportFailure = null, bool IsReset = false);

/// <summary>
/// Sends one request to one endpoint and passes the response on. The seam between what is decided (routes, endpoints, retries, limits) and how
/// bytes travel: YARP's forwarder today, a leaner HTTP/1.1 client beside it later.
/// </summary>
internal abstract class Forwarder
{
    /// <summary>
    /// Forwards to <see cref="GatewayContext.Endpoint"/>. Asks <see cref="UpstreamRequest.AcceptsHead"/> before anything of a response goes to the client, and
    /// writes nothing to the response when it returns anything but <see cref="ForwardOutcome.Completed"/> or <see cref="ForwardOutcome.BrokenResponse"/>.
    /// When it returns, nobody reads the request's body any more.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="cancellationToken">Ends the attempt, in whatever state it is.</param>
    public abstract ValueTask<ForwardResult> ForwardAsync(GatewayContext context, CancellationToken cancellationToken);
}
