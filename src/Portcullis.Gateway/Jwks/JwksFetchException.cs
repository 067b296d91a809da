using System.Net.Sockets;
using System.Security.Authentication;

namespace Portcullis.Gateway.Jwks;

/// <summary>Why a fetch failed, in words for the operator: no secret of ours, no byte of the answer.</summary>
internal sealed class JwksFetchException : Exception
{
    public JwksFetchException(string reason)
        : base(reason)
    {
    }

    public JwksFetchException(string reason, Exception inner)
        : base(reason, inner)
    {
    }

    /// <summary>Nothing but a change of configuration can help: there is no next try.</summary>
    public bool IsPermanent { get; init; }

    /// <summary>What the network said, the innermost cause first: the outer exceptions only say that there is one.</summary>
    public static string Describe(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case JwksFetchException refused:
                    return refused.Message;
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return "the host name cannot be resolved";
                case SocketException socket:
                    return LowerFirst(socket.Message);
                case AuthenticationException { InnerException: null } tls:
                    return "TLS: " + LowerFirst(tls.Message);
            }
        }

        return failure switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "the TLS connection cannot be established",
            HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }
                or HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => "the server closed the connection before the end of its answer",
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => "the answer's headers are too long",
            HttpRequestException http => $"the HTTP exchange failed ({http.HttpRequestError})",
            IOException => "the connection broke",
            _ => failure.GetType().Name,
        };
    }

    private static string LowerFirst(string text) =>
        text.Length > 1 && char.IsUpper(text[0]) && char.IsLower(text[1]) ? char.ToLowerInvariant(text[0]) + text[1..].TrimEnd('.') : text.TrimEnd('.');
}
