using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>A backend that dies as a killed process does, and comes back on the same port. Answers with the head of the request.</summary>
internal sealed class MortalBackend : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _connections = [];
    private Socket _listener;
    private bool _isListening;

    public MortalBackend()
    {
        _listener = Bind(0);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        Return();
    }

    public int Port { get; }

    /// <summary>Resets every connection and refuses new ones. The port stays taken, so that nobody else gets it.</summary>
    public void Die()
    {
        lock (_lock)
        {
            _isListening = false;
            _listener.Dispose();
            foreach (var connection in _connections)
            {
                connection.Close(0);
            }

            _connections.Clear();
            _listener = Bind(Port);
        }
    }

    /// <summary>Answers again.</summary>
    public void Return()
    {
        lock (_lock)
        {
            _listener.Listen();
            _isListening = true;
            _ = AcceptAsync(_listener);
        }
    }

    public void Dispose()
    {
        Die();
        _listener.Dispose();
    }

    private static Socket Bind(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var connection = await listener.AcceptAsync();
                lock (_lock)
                {
                    if (!_isListening)
                    {
                        connection.Close(0);
                        return;
                    }

                    connection.LingerState = new LingerOption(true, 0);
                    _connections.Add(connection);
                }

                _ = ServeAsync(connection);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It died.
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        try
        {
            var buffer = new byte[16 * 1024];
            var length = 0;
            while (await connection.ReceiveAsync(buffer.AsMemory(length)) is var count and > 0)
            {
                length += count;
                if (buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
                {
                    var head = Encoding.Latin1.GetString(buffer, 0, length);
                    await connection.SendAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{head}"));
                    length = 0;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It died, or the gateway closed.
        }
        finally
        {
            lock (_lock)
            {
                _connections.Remove(connection);
            }

            connection.Dispose();
        }
    }
}
