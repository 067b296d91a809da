using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Portcullis.FunctionalTests.Grpc;

/// <summary>
/// A backend that speaks HTTP/2 in clear frame by frame (RFC 9113 §4), so that a test can send what no server library would. It reads no header: a request is the number
/// of its stream.
/// </summary>
internal sealed class FrameServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<Connection, Task> _onRequest;
    private int _connections;
    private int _requests;

    /// <param name="onRequest">Called for every HEADERS frame; the connection is closed when <see cref="Connection.IsClosing"/> is set in it.</param>
    public FrameServer(Func<Connection, Task> onRequest)
    {
        _onRequest = onRequest;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    public int Requests => Volatile.Read(ref _requests);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _ = ServeAsync(client, Interlocked.Increment(ref _connections));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        using (client)
        {
            var connection = new Connection(client.GetStream(), number);
            try
            {
                await connection.BeginAsync();
                while (!connection.IsClosing && await connection.ReadRequestAsync())
                {
                    Interlocked.Increment(ref _requests);
                    await _onRequest(connection);
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The gateway has closed the connection.
            }
        }
    }

    internal sealed class Connection(NetworkStream stream, int number)
    {
        private const int PrefaceLength = 24;
        private const byte Data = 0;
        private const byte Headers = 1;
        private const byte ResetStream = 3;
        private const byte Settings = 4;
        private const byte Ping = 6;
        private const byte GoAway = 7;
        private const byte Ack = 1;
        private const byte EndStream = 1;
        private const byte EndHeaders = 4;

        /// <summary>The server's first connection is 1.</summary>
        public int Number => number;

        /// <summary>The stream of the last request.</summary>
        public int Stream { get; private set; }

        public bool IsClosing { get; set; }

        /// <summary>Status 200 and nothing else; more may follow unless this is the end.</summary>
        public Task SendHeadersAsync(bool isEnd) => SendAsync(Headers, (byte)(EndHeaders | (isEnd ? EndStream : 0)), Stream, [0x88]);

        public Task SendDataAsync(byte[] data) => SendAsync(Data, 0, Stream, data);

        public Task SendResetAsync(uint error) => SendAsync(ResetStream, 0, Stream, Number32(error));

        /// <param name="lastStream">The last stream that is served.</param>
        /// <param name="error">An error code; 0 for none.</param>
        public Task SendGoAwayAsync(int lastStream, uint error) => SendAsync(GoAway, 0, 0, [.. Number32((uint)lastStream), .. Number32(error)]);

        public async Task SendTextAsync(byte[] text) => await stream.WriteAsync(text);

        public async Task BeginAsync()
        {
            await stream.ReadExactlyAsync(new byte[PrefaceLength]);
            await SendAsync(Settings, 0, 0, []);
        }

        /// <summary>Reads up to the next HEADERS frame.</summary>
        public async Task<bool> ReadRequestAsync()
        {
            var head = new byte[9];
            while (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false) == head.Length)
            {
                var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
                await stream.ReadExactlyAsync(payload);
                switch (head[3])
                {
                    case Headers:
                        Stream = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5));
                        return true;
                    case Settings when (head[4] & Ack) == 0:
                        await SendAsync(Settings, Ack, 0, []);
                        break;
                    case Ping when (head[4] & Ack) == 0:
                        await SendAsync(Ping, Ack, 0, payload);
                        break;
                }
            }

            return false;
        }

        private async Task SendAsync(byte type, byte flags, int streamId, byte[] payload)
        {
            byte[] frame = [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, .. Number32((uint)streamId), .. payload];
            await stream.WriteAsync(frame);
        }

        private static byte[] Number32(uint value)
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
            return bytes;
        }
    }
}
