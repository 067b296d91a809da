using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Streaming;

/// <summary>A request's body passes through as it comes, however long it goes on.</summary>
public sealed class SlowUploadTests
{
    private const int Piece = 1500;

    /// <summary>Together they are more than any buffer on the way.</summary>
    private const int Pieces = 400;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EachPiece_ArrivesBeforeTheNextIsSent(bool isChunked)
    {
        var arrived = Channel.CreateUnbounded<int>();
        await using var backend = await WebBackend.StartAsync(async http =>
        {
            var buffer = new byte[64 * 1024];
            while (await http.Request.Body.ReadAsync(buffer) is var read and > 0)
            {
                arrived.Writer.TryWrite(read);
            }
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port]);
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port, patience.Token);
        var stream = client.GetStream();
        var framing = isChunked ? "Transfer-Encoding: chunked" : $"Content-Length: {Piece * Pieces}";
        await SendAsync($"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n");
        var piece = new string('x', Piece);
        var chunk = isChunked ? $"{Piece:x}\r\n{piece}\r\n" : piece;

        for (var i = 0; i < Pieces; i++)
        {
            await SendAsync(chunk);
            for (var left = Piece; left > 0;)
            {
                left -= await arrived.Reader.ReadAsync(patience.Token);
            }
        }

        if (isChunked)
        {
            await SendAsync("0\r\n\r\n");
        }

        using var answer = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 200", await answer.ReadToEndAsync(patience.Token), StringComparison.Ordinal);

        Task SendAsync(string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text), patience.Token).AsTask();
    }
}
