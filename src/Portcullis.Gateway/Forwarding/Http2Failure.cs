namespace Portcullis.Gateway.Forwarding;

/// <summary>What an HTTP/2 backend's error says, as Envoy reads it.</summary>
internal static class Http2Failure
{
    /// <summary>RFC 9113 §7.</summary>
    private const long RefusedStream = 7;

    private const long ConnectError = 10;

    // The HTTP client uses one exception, and one error code, for what the backend said of a stream (RST_STREAM), what it said of the connection (GOAWAY), and what the
    // client itself found in the connection's frames. Only the text tells them apart; it is not translated, and Http2BackendTests has every case.
    private const string OfStream = "The HTTP/2 server reset the stream";
    private const string OfConnection = "The HTTP/2 server closed the connection";

    /// <summary>How an attempt ended that the exception ended.</summary>
    public static ForwardOutcome Explain(HttpProtocolException exception)
    {
        if (exception.Message.StartsWith(OfStream, StringComparison.Ordinal))
        {
            return exception.ErrorCode switch
            {
                RefusedStream => ForwardOutcome.RefusedStream,
                ConnectError => ForwardOutcome.ConnectReset,
                _ => ForwardOutcome.Reset,
            };
        }

        return exception.Message.StartsWith(OfConnection, StringComparison.Ordinal) ? ForwardOutcome.ClosedBeforeResponse : ForwardOutcome.ProtocolError;
    }
}
