using System.Net;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Http2;

/// <summary>A backend of HTTP/1.1 that answers a request of which it has seen only the beginning.</summary>
public sealed class EarlyAnswerTests
{
    [Fact]
    public async Task Answer_ReachesTheClientWhole_AndTheRestOfTheRequestIsNotAskedFor()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var backend = AnswerAsync(listener);
        await using var gateway = await UpstreamGateway.StartAsync([((IPEndPoint)listener.LocalEndpoint).Port]);
        await using (var client = await FrameClient.ConnectAsync(gateway.Port))
        {
            await client.SendHeadersAsync(1, isEnd: false, ("content-length", "100000"));
            await client.SendAsync(new(Frame.Data, 0, 1, new byte[1000]));

            var head = await client.ReadAsync(1);
            Assert.Equal((Frame.Headers, false), (head.Type, head.Has(Frame.EndStream)));
            var body = await client.ReadAsync(1);
            Assert.Equal("much", Encoding.ASCII.GetString(body.Payload));
            var end = body.Has(Frame.EndStream) ? body : await client.ReadAsync(1);
            Assert.True(end.Type == Frame.Data && end.Has(Frame.EndStream));
            var reset = await client.ReadAsync(1);
            Assert.Equal((Frame.ResetStream, 0u), (reset.Type, reset.Error));
        }

        Assert.True(await backend); // the gateway has let go of the connection, whose request will never be whole
        Assert.StartsWith("413 - via_upstream", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    /// <returns>Whether the gateway has closed the connection.</returns>
    private static async Task<bool> AnswerAsync(TcpListener listener)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        using var connection = await listener.AcceptTcpClientAsync(patience.Token);
        var stream = connection.GetStream();
        var buffer = new byte[16 * 1024];
        Assert.True(await stream.ReadAsync(buffer, patience.Token) > 0);
        await stream.WriteAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch"u8.ToArray(), patience.Token);
        try
        {
            while (await stream.ReadAsync(buffer, patience.Token) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Reset: closed too.
        }

        return true;
    }
}
