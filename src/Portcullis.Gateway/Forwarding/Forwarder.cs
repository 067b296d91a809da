using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Forwarding;

/// <summary>How an attempt to forward ended.</summary>
internal enum ForwardOutcome
{
    /// <summary>The response was passed on to its end.</summary>
    Completed,

    /// <summary>No connection could be made: nothing was sent, so another endpoint may be tried.</summary>
    ConnectFailed,

    /// <summary>No connection within the connect timeout; nothing was sent.</summary>
    ConnectTimeout,

    /// <summary>The backend closed before it answered.</summary>
    ClosedBeforeResponse,

    /// <summary>The backend spoke something that is not HTTP.</summary>
    ProtocolError,

    /// <summary>The route's timeout passed before the response began.</summary>
    Timeout,

    /// <summary>The client went away, or sent a body that could not be read.</summary>
    ClientFailed,

    /// <summary>The response broke off after it had begun; the client's connection was reset.</summary>
    BrokenResponse,
}

/// <summary>
/// Sends one request to one endpoint and passes the response on. The seam between what is decided (routes, endpoints, retries) and how bytes
/// travel: YARP's forwarder today, a leaner HTTP/1.1 client beside it later.
/// </summary>
internal abstract class Forwarder
{
    /// <summary>Forwards to <see cref="GatewayContext.Endpoint"/>; writes nothing to the response when it returns a failure before the response began.</summary>
    public abstract ValueTask<ForwardOutcome> ForwardAsync(GatewayContext context, CancellationToken timeout);
}
