using System.Net;
using System.Net.Sockets;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Opens connections to backends.</summary>
internal static class UpstreamConnector
{
    /// <summary>Connects, with TLS where the cluster has it.</summary>
    /// <param name="profile">The cluster's.</param>
    /// <param name="endPoint">Address and port.</param>
    /// <param name="host">Host header of the request that the connection is opened for: the server name, when none is configured.</param>
    /// <param name="isHttp2">What will be spoken.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    /// <exception cref="UpstreamTlsException">TLS cannot be had, or the backend is not who it should be.</exception>
    public static async ValueTask<Stream> ConnectAsync(ConnectionProfile profile, DnsEndPoint endPoint, string? host, bool isHttp2, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        KeepAlive(socket, profile.Limits);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        Stream stream = new CountedStream(socket, profile.Breaker);
        if (profile.Tls is { } tls)
        {
            return await tls.AuthenticateAsync(stream, host, isHttp2, cancellationToken);
        }

        return isHttp2 ? stream : new UpstreamConnection(stream);
    }

    /// <summary>Sets TCP keep-alive as the cluster wants it.</summary>
    public static void KeepAlive(Socket socket, ConnectionPoolLimits limits)
    {
        if (limits.TcpKeepalive is not { } keepAlive)
        {
            return;
        }

        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        Set(SocketOptionName.TcpKeepAliveTime, Seconds(keepAlive.Time));
        Set(SocketOptionName.TcpKeepAliveInterval, Seconds(keepAlive.Interval));
        Set(SocketOptionName.TcpKeepAliveRetryCount, keepAlive.Probes);

        void Set(SocketOptionName name, int? value)
        {
            if (value is > 0 and var number)
            {
                socket.SetSocketOption(SocketOptionLevel.Tcp, name, number);
            }
        }
    }

    private static int? Seconds(TimeSpan? span) => span is { } time ? Math.Max(1, (int)time.TotalSeconds) : null;

    /// <summary>Counts as an open connection until it is closed.</summary>
    private sealed class CountedStream : NetworkStream
    {
        private CircuitBreaker? _breaker;

        public CountedStream(Socket socket, CircuitBreaker? breaker)
            : base(socket, ownsSocket: true)
        {
            _breaker = breaker;
            breaker?.ConnectionOpened();
        }

        protected override void Dispose(bool disposing)
        {
            Interlocked.Exchange(ref _breaker, null)?.ConnectionClosed();
            base.Dispose(disposing);
        }
    }
}
