using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Streaming;

/// <summary>WebSockets (RFC 6455) through the gateway.</summary>
public sealed class WebSocketTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("timeout: 1s")] // the clock starts when the request has ended: never
    public async Task Messages_AreEchoed_AndTheClosePassesThrough(string rule)
    {
        await using var backend = await WebBackend.StartAsync(EchoAsync);
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], rule);
        using var socket = await ConnectAsync(gateway);

        Assert.Equal("chat.v2", socket.SubProtocol);
        foreach (var size in new[] { 0, 1, 125, 126, 70_000 })
        {
            var message = Encoding.ASCII.GetBytes(new string('x', size));
            await socket.SendAsync(message, WebSocketMessageType.Text, true, Stop);
            Assert.Equal((WebSocketMessageType.Text, size), await ReceiveAsync(socket));
            await socket.SendAsync(message, WebSocketMessageType.Binary, true, Stop);
            Assert.Equal((WebSocketMessageType.Binary, size), await ReceiveAsync(socket));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", Stop);
        Assert.Equal((WebSocketState.Closed, WebSocketCloseStatus.NormalClosure, "done"), (socket.State, socket.CloseStatus, socket.CloseStatusDescription));
        Assert.StartsWith("101 - via_upstream", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task BackendSpeaksFirstAndCloses_TheClientSeesBoth()
    {
        await using var backend = await WebBackend.StartAsync(async http =>
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, http.RequestAborted);
            await socket.CloseAsync((WebSocketCloseStatus)4001, "enough", http.RequestAborted);
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port]);
        using var socket = await ConnectAsync(gateway, subProtocol: null);

        Assert.Equal((WebSocketMessageType.Text, 5), await ReceiveAsync(socket));
        Assert.Equal((WebSocketMessageType.Close, 0), await ReceiveAsync(socket));
        Assert.Equal(((WebSocketCloseStatus)4001, "enough"), (socket.CloseStatus, socket.CloseStatusDescription));
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
    }

    [Fact]
    public async Task ClientGoesAway_TheBackendIsToldSo()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = await WebBackend.StartAsync(async http =>
        {
            try
            {
                await EchoAsync(http);
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
            {
                gone.SetResult();
            }
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port]);
        using (var socket = await ConnectAsync(gateway))
        {
            await socket.SendAsync("a"u8.ToArray(), WebSocketMessageType.Text, true, Stop);
            Assert.Equal((WebSocketMessageType.Text, 1), await ReceiveAsync(socket));
            socket.Abort();
        }

        await gone.Task.WaitAsync(PortcullisProcess.Patience, Stop);
    }

    [Fact]
    public async Task BackendThatRefusesTheUpgrade_IsAnsweredAsItSays()
    {
        await using var backend = await WebBackend.StartAsync(http =>
        {
            http.Response.StatusCode = StatusCodes.Status418ImATeapot;
            return http.Response.WriteAsync("no");
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port]);

        var response = await RawHttp.SendTextAsync(
            gateway.Port,
            "GET /chat HTTP/1.1\r\nHost: foo.com\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");

        Assert.Equal((418, "no"), (response.Status, response.Body));
    }

    private static async Task<ClientWebSocket> ConnectAsync(InProcessGateway gateway, string? subProtocol = "chat.v2")
    {
        var socket = new ClientWebSocket();
        if (subProtocol is not null)
        {
            socket.Options.AddSubProtocol(subProtocol);
        }

        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{gateway.Port}/chat?room=1"), Stop);
        return socket;
    }

    private static async Task<(WebSocketMessageType Type, int Length)> ReceiveAsync(ClientWebSocket socket)
    {
        var buffer = new byte[8 * 1024];
        for (var length = 0; ;)
        {
            var part = await socket.ReceiveAsync(buffer, Stop);
            length += part.Count;
            if (part.EndOfMessage)
            {
                return (part.MessageType, length);
            }
        }
    }

    private static async Task EchoAsync(HttpContext http)
    {
        using var socket = await http.WebSockets.AcceptWebSocketAsync(http.WebSockets.WebSocketRequestedProtocols.FirstOrDefault());
        var buffer = new byte[8 * 1024];
        while (await socket.ReceiveAsync(buffer, http.RequestAborted) is { MessageType: not WebSocketMessageType.Close } part)
        {
            await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, http.RequestAborted);
        }

        await socket.CloseAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, http.RequestAborted);
    }
}
