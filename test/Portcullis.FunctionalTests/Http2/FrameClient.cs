using System.Net;
using System.Net.Sockets;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Http2;

/// <summary>A client that speaks HTTP/2 in clear, frame by frame.</summary>
internal sealed class FrameClient : IAsyncDisposable
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private readonly CancellationTokenSource _patience = new(PortcullisProcess.Patience);

    private FrameClient(TcpClient client) => (_client, _stream) = (client, client.GetStream());

    /// <summary>Connects and sends settings, which are the defaults.</summary>
    public static async Task<FrameClient> ConnectAsync(int port)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port);
        var connection = new FrameClient(client);
        await connection.SendBytesAsync([.. Preface, .. new Frame(Frame.Settings, 0, 0, []).ToBytes()]);
        return connection;
    }

    /// <summary>A request to <c>/</c>: the pseudo-header fields and those given.</summary>
    public Task SendHeadersAsync(int stream, bool isEnd, params (string Name, string Value)[] fields) => SendAsync(new(
        Frame.Headers,
        (byte)(Frame.EndHeaders | (isEnd ? Frame.EndStream : 0)),
        stream,
        Frame.Fields([(":method", isEnd ? "GET" : "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a.example"), .. fields])));

    public Task SendAsync(Frame frame) => SendBytesAsync(frame.ToBytes());

    public Task SendBytesAsync(byte[] bytes) => _stream.WriteAsync(bytes, _patience.Token).AsTask();

    /// <summary>The next HEADERS, DATA or RST_STREAM frame of a stream that says something.</summary>
    public async Task<Frame> ReadAsync(int stream)
    {
        while (true)
        {
            var frame = await ReadAsync() ?? throw new IOException("the connection ended");
            Assert.NotEqual(Frame.GoAway, frame.Type);
            if (frame.Stream == stream && (frame.Type is Frame.Headers or Frame.ResetStream || (frame.Type == Frame.Data && (frame.Payload.Length > 0 || frame.Has(Frame.EndStream)))))
            {
                return frame;
            }
        }
    }

    /// <summary>The next frame; <see langword="null"/> at the connection's end. Settings and pings are answered.</summary>
    public async Task<Frame?> ReadAsync()
    {
        try
        {
            var frame = await Frame.ReadAsync(_stream, _patience.Token);
            if (frame is { Type: Frame.Settings or Frame.Ping } && !frame.Has(Frame.Ack))
            {
                await SendAsync(new(frame.Type, Frame.Ack, 0, frame.Type == Frame.Ping ? frame.Payload : []));
            }

            return frame;
        }
        catch (IOException)
        {
            return null; // reset
        }
    }

    /// <summary>Sends one frame after the other until the gateway takes no more.</summary>
    public async Task SendAllAsync(IEnumerable<Frame> frames)
    {
        try
        {
            foreach (var frame in frames)
            {
                await SendAsync(frame);
            }
        }
        catch (IOException)
        {
            // It has closed the connection, as it may.
        }
    }

    /// <summary>The first that ends a stream or the connection: RST_STREAM or GOAWAY with its code, HEADERS with the first byte of an answer's, or the connection's end.</summary>
    public async Task<string> ReadEndAsync()
    {
        while (await ReadAsync() is { } frame)
        {
            switch (frame.Type)
            {
                case Frame.ResetStream:
                    return $"RST_STREAM {frame.Error}";
                case Frame.GoAway:
                    return $"GOAWAY {frame.Error}";
                case Frame.Headers:
                    return $"HEADERS {frame.Payload[0]:X2}";
            }
        }

        return "closed";
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _patience.Dispose();
        return ValueTask.CompletedTask;
    }
}
