using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Portcullis.Gateway.Listeners;

/// <summary>Binds one socket, and <see cref="InnerEndPoint"/>s to nothing. Can stop accepting before the server stops.</summary>
internal sealed class ListenerTransport : IConnectionListenerFactory
{
    /// <summary>How often the queue of connections is looked at while it drains.</summary>
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(1);

    private readonly SocketTransportFactory _sockets;
    private readonly bool _sharesPort;
    private readonly TimeProvider _time;
    private IConnectionListener? _listener;
    private Socket? _socket;

    /// <param name="sharesPort">Other processes may bind the port too.</param>
    /// <param name="runsInline">Requests run on the threads that poll sockets.</param>
    /// <param name="time">For waiting.</param>
    /// <param name="loggers">For the transport.</param>
    public ListenerTransport(bool sharesPort, bool runsInline, TimeProvider time, ILoggerFactory loggers)
    {
        _sharesPort = sharesPort;
        _time = time;
        _sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions { CreateBoundListenSocket = Bind, UnsafePreferInlineScheduling = runsInline }), loggers);
    }

    /// <inheritdoc/>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is InnerEndPoint inner)
        {
            return inner;
        }

        return _listener = await _sockets.BindAsync(endpoint, cancellationToken);
    }

    /// <summary>
    /// Closes the socket without losing a connection: no new handshake begins, those under way get time to end, and what is in the kernel's
    /// queue is accepted. Closing it at once would reset all of these.
    /// </summary>
    /// <param name="handshakes">The time for handshakes; below the second after which a client that was not heard asks again.</param>
    public async Task StopAcceptingAsync(TimeSpan handshakes)
    {
        if (_listener is null || _socket is not { } socket)
        {
            return;
        }

        try
        {
            if (OperatingSystem.IsLinux())
            {
                await DrainAsync(socket, handshakes);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A kernel without these options, or already closed: then as any server stops.
        }

        await _listener.UnbindAsync();
    }

    private async Task DrainAsync(Socket socket, TimeSpan handshakes)
    {
        if (_sharesPort)
        {
            ListenSocketOptions.SteerToSuccessor(socket);
        }

        try
        {
            ListenSocketOptions.DropRequests(socket);
            await Task.Delay(handshakes, _time);
            // Ends: nothing is added any more, and the server accepts.
            while (socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                await Task.Delay(Glance, _time);
            }
        }
        finally
        {
            if (_sharesPort)
            {
                ListenSocketOptions.EndSteering(socket);
            }
        }
    }

    private Socket Bind(EndPoint endpoint) =>
        _socket = _sharesPort ? ListenSocketOptions.BindShared(endpoint) : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
}
