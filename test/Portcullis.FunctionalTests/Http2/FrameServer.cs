using System.Net;
using System.Net.Sockets;

namespace Portcullis.FunctionalTests.Http2;

/// <summary>
/// A backend that speaks HTTP/2 in clear frame by frame, so that a test can send what no server library would. It reads no header: a request is the number
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
                while (!connection.IsClosing && await connection.ReadAsync(Frame.Headers) is { } headers)
                {
                    Interlocked.Increment(ref _requests);
                    connection.Stream = headers.Stream;
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

        /// <summary>Index 8 of HPACK's static table.</summary>
        private const byte Status200 = 0x88;

        /// <summary>The server's first connection is 1.</summary>
        public int Number => number;

        /// <summary>The stream of the last request.</summary>
        public int Stream { get; set; }

        public bool IsClosing { get; set; }

        /// <summary>Status 200 and nothing else; more may follow unless this is the end.</summary>
        public Task SendHeadersAsync(bool isEnd) => SendAsync(Frame.Headers, (byte)(Frame.EndHeaders | (isEnd ? Frame.EndStream : 0)), Stream, [Status200]);

        /// <summary>Status 200 and the fields.</summary>
        public Task SendHeadersAsync(params (string Name, string Value)[] fields) =>
            SendAsync(Frame.Headers, Frame.EndHeaders, Stream, [Status200, .. Frame.Fields(fields)]);

        public Task SendDataAsync(byte[] data) => SendAsync(Frame.Data, 0, Stream, data);

        public Task SendTrailersAsync(params (string Name, string Value)[] fields) =>
            SendAsync(Frame.Headers, Frame.EndHeaders | Frame.EndStream, Stream, Frame.Fields(fields));

        public Task SendResetAsync(uint error) => SendAsync(Frame.ResetStream, 0, Stream, Frame.Number32(error));

        /// <param name="lastStream">The last stream that is served.</param>
        /// <param name="error">An error code; 0 for none.</param>
        public Task SendGoAwayAsync(int lastStream, uint error) =>
            SendAsync(Frame.GoAway, 0, 0, [.. Frame.Number32((uint)lastStream), .. Frame.Number32(error)]);

        public async Task SendTextAsync(byte[] text) => await stream.WriteAsync(text);

        public async Task BeginAsync()
        {
            await stream.ReadExactlyAsync(new byte[PrefaceLength]);
            await SendAsync(Frame.Settings, 0, 0, []);
        }

        /// <summary>Reads up to the next frame of a type; <see langword="null"/> when the connection ends.</summary>
        public async Task<Frame?> ReadAsync(byte type)
        {
            while (await Frame.ReadAsync(stream, CancellationToken.None) is { } frame)
            {
                if (frame.Type == type)
                {
                    return frame;
                }

                if (frame.Type is Frame.Settings or Frame.Ping && !frame.Has(Frame.Ack))
                {
                    await SendAsync(frame.Type, Frame.Ack, 0, frame.Type == Frame.Ping ? frame.Payload : []);
                }
            }

            return null;
        }

        private async Task SendAsync(byte type, byte flags, int streamId, byte[] payload) =>
            await stream.WriteAsync(new Frame(type, flags, streamId, payload).ToBytes());
    }
}
