using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portcullis.FunctionalTests.Listeners;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Http2;

/// <summary>WebSockets over HTTP/2 (RFC 8441) through the gateway, which reads them as it reads those over HTTP/1.1.</summary>
public sealed class ExtendedConnectTests : IDisposable
{
    /// <summary>What a policy and a route say of WebSockets over HTTP/1.1.</summary>
    private const string AllowGet = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: allow, namespace: istio-system}
        spec: {rules: [{to: [{operation: {methods: [GET], paths: [/chat]} }], when: [{key: 'request.headers[upgrade]', values: [websocket]}]}]}
        """;

    private readonly TestAuthority _authority = new();
    private readonly CancellationTokenSource _patience = new(PortcullisProcess.Patience);

    private CancellationToken Stop => _patience.Token;

    public void Dispose()
    {
        _authority.Dispose();
        _patience.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, true, "1.1")]
    public async Task Messages_AreEchoed_AndTheClosePassesThrough_ToABackendOfEitherVersion(bool isSecure, bool isHttp2Backend, string version = "2.0")
    {
        await using var backend = await WebBackend.StartAsync(EchoAsync, isHttp2Backend ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var gateway = await StartAsync(backend.Port, isSecure, isHttp2Backend, AllowGet);
        using var socket = await ConnectAsync(gateway.Port, isSecure, version);

        Assert.Equal("chat.v2", socket.SubProtocol);
        var buffer = new byte[100_000];
        foreach (var size in new[] { 0, 1, 126, 70_000 })
        {
            await socket.SendAsync(new byte[size], WebSocketMessageType.Binary, true, Stop);
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(length), Stop);
                length += part.Count;
            }
            while (!part.EndOfMessage);
            Assert.Equal(size, length);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", Stop);
        Assert.Equal((WebSocketState.Closed, WebSocketCloseStatus.NormalClosure, "done"), (socket.State, socket.CloseStatus, socket.CloseStatusDescription));
    }

    [Fact]
    public async Task Backend_SeesTheUpgradeAsAClientOfHttp11WouldAskForIt()
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = await WebBackend.StartAsync(http =>
        {
            var headers = http.Request.Headers;
            seen.TrySetResult($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString} {headers.Connection} {headers.Upgrade} {headers.SecWebSocketKey.ToString().Length} {headers["x-mine"]}");
            return EchoAsync(http);
        });
        await using var gateway = await StartAsync(backend.Port, isSecure: false, isHttp2Backend: false, AllowGet);
        using var socket = await ConnectAsync(gateway.Port, isSecure: false);

        Assert.Equal("GET /chat?room=1 Upgrade websocket 24 yes", await seen.Task.WaitAsync(Stop));
    }

    [Fact]
    public async Task DenialOfGet_IsNotDodged()
    {
        await using var backend = await WebBackend.StartAsync(EchoAsync);
        await using var gateway = await StartAsync(backend.Port, isSecure: false, isHttp2Backend: false, """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: deny, namespace: istio-system}
            spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]} }]}]}
            """);

        var failure = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(gateway.Port, isSecure: false));

        Assert.Contains("403", failure.Message + failure.InnerException?.Message, StringComparison.Ordinal);
        Assert.StartsWith("403 - rbac_access_denied_matched_policy", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherProtocol_IsRefused()
    {
        await using var backend = await WebBackend.StartAsync(EchoAsync);
        await using var gateway = await StartAsync(backend.Port, isSecure: false, isHttp2Backend: false, "");
        await using (var client = await FrameClient.ConnectAsync(gateway.Port))
        {
            await client.SendAsync(new(
                Frame.Headers,
                Frame.EndHeaders,
                1,
                Frame.Fields((":method", "CONNECT"), (":protocol", "connect-udp"), (":scheme", "http"), (":path", "/chat"), (":authority", "a"))));
            Assert.Equal(Frame.Headers, (await client.ReadAsync(1)).Type);
        }

        Assert.StartsWith("403 - upgrade_failed", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    private Task<InProcessGateway> StartAsync(int port, bool isSecure, bool isHttp2Backend, string policy)
    {
        var gateway = TlsTerminationTests.Gateway(TlsTerminationTests.Server("a", "*", "credentialName: web"));
        return UpstreamGateway.StartAsync(
            [port],
            portName: isHttp2Backend ? "http2" : "http",
            resources: isSecure ? $"{policy}\n---\n{TestAuthority.Secret("web", _authority.Issue("a"))}" : policy,
            gateway: isSecure ? gateway : null);
    }

    private async Task<ClientWebSocket> ConnectAsync(int port, bool isSecure, string version = "2.0")
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = Version.Parse(version);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.AddSubProtocol("chat.v2");
        socket.Options.SetRequestHeader("x-mine", "yes");
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = (_, c, _, _) => c!.Issuer == "CN=Test CA" } }, disposeHandler: false);
        await socket.ConnectAsync(new Uri($"{(isSecure ? "wss" : "ws")}://127.0.0.1:{port}/chat?room=1"), client, Stop);
        return socket;
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
