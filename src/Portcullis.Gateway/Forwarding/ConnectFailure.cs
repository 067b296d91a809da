using System.Net.Sockets;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Envoy's words for why a connection could not be made.</summary>
internal static class ConnectFailure
{
    /// <summary>The transport failure reason; <see langword="null"/> when there is nothing to say.</summary>
    public static string? ReasonOf(Exception exception) => exception.GetBaseException() switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "delayed connect error: Connection refused",
        SocketException s => $"delayed connect error: {s.SocketErrorCode}",
        _ => null,
    };
}
