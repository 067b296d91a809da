using System.Net;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Listeners;

/// <summary>PROXY headers through the real gateway (authorization.md §5.1, examples Z43 to Z46).</summary>
public sealed class ProxyProtocolTests
{
    private const string On = "defaultConfig: {gatewayTopology: {proxyProtocol: {}}}";
    private const string Source = "PROXY TCP4 203.0.113.7 198.51.100.1 12345 443\r\n";

    [Theory]
    [InlineData("Z43", "trustDomain: cluster.local", "", "x-forwarded-for: 203.0.113.7", "remoteIpBlocks: [203.0.113.0/24]", 403)]
    [InlineData("Z44", "defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}", "", "x-forwarded-for: 1.1.1.1, 203.0.113.7", "remoteIpBlocks: [203.0.113.0/24]", 200)]
    [InlineData("Z45", "defaultConfig: {gatewayTopology: {numTrustedProxies: 2}}", "", "x-forwarded-for: 203.0.113.7", "remoteIpBlocks: [203.0.113.0/24]", 403)]
    [InlineData("Z46", On, Source, null, "ipBlocks: [203.0.113.7]", 403)]
    [InlineData("Z46, the peer", On, Source, null, "ipBlocks: [127.0.0.1]", 200)]
    [InlineData("Z46, the source", On, Source, null, "remoteIpBlocks: [203.0.113.0/24]", 200)]
    [InlineData("the header is no X-Forwarded-For", On, Source, "x-forwarded-for: 192.0.2.5", "remoteIpBlocks: [192.0.2.5]", 403)]
    [InlineData("too few entries fall back to the source", "defaultConfig: {gatewayTopology: {proxyProtocol: {}, numTrustedProxies: 2}}", Source, "x-forwarded-for: 192.0.2.5", "remoteIpBlocks: [203.0.113.7]", 200)]
    [InlineData("entries go before the source", "defaultConfig: {gatewayTopology: {proxyProtocol: {}, numTrustedProxies: 1}}", Source, "x-forwarded-for: 192.0.2.5", "remoteIpBlocks: [192.0.2.5]", 200)]
    [InlineData("UNKNOWN keeps the peer", On, "PROXY UNKNOWN\r\n", null, "remoteIpBlocks: [127.0.0.1]", 200)]
    public async Task Addresses_AreWhatIstioTakes(string id, string mesh, string header, string? forwardedFor, string source, int status)
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new() { Mesh = mesh + "\nauthorizationDenied: Forbidden" }, ("policy.yaml", Allow(source)));
        var lines = forwardedFor is null ? "" : forwardedFor + "\r\n";
        var response = await RawHttp.SendTextAsync(gateway.Port, $"{header}GET / HTTP/1.1\r\nHost: a\r\n{lines}Connection: close\r\n\r\n");
        Assert.True(status == response.Status, $"{id}: {response.Status}");
    }

    [Fact]
    public async Task Backend_IsToldTheSource()
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new() { Mesh = On });
        var request = EchoedRequest.Of(await RawHttp.SendTextAsync(gateway.Port, Source + "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.1.1.1\r\nConnection: close\r\n\r\n"));
        Assert.Equal(["10.1.1.1,203.0.113.7"], request.Lines("x-forwarded-for"));
        Assert.Equal(["203.0.113.7"], request.Lines("x-envoy-external-address"));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 198.51.100.1 1\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("PROXY TCP4 203.0.113.7 ")]
    public async Task Connection_WithoutAGoodHeader_IsClosedUnanswered(string sent)
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new() { Mesh = On });
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(sent));
        socket.Shutdown(SocketShutdown.Send);
        try
        {
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode); // what it had sent was never read
        }
    }

    [Fact]
    public async Task Header_WhenTheMeshDoesNotAskForOne_IsABadRequest()
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new());
        Assert.Equal(400, (await RawHttp.SendTextAsync(gateway.Port, Source + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).Status);
    }

    [Fact]
    public async Task Connection_ThatNeverSendsTheHeader_IsClosedInTime()
    {
        using var backend = new EchoBackend();
        var time = new FilterTimeouts();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new() { Mesh = On, Time = time });
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync("PROXY "u8.ToArray());
        Assert.Equal(0, await socket.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AccessLog_NamesTheSourceAndTheDirectPeer()
    {
        using var backend = new EchoBackend();
        const string Mesh = On + "\naccessLogFile: ${access-log}\naccessLogFormat: \"%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_ADDRESS%\\n\"\n";
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new() { Mesh = Mesh });
        await RawHttp.SendTextAsync(gateway.Port, Source + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        Assert.Equal("203.0.113.7:12345 127.0.0.1 198.51.100.1:443", Assert.Single(await gateway.StopAndReadAccessLogAsync()));
    }

    private static string Allow(string source) => $$"""
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: allow, namespace: istio-system}
        spec:
          rules:
          - from:
            - source: { {{source}} }
        """;

    /// <summary>Real time, but for the 15 s that a PROXY header may take.</summary>
    private sealed class FilterTimeouts : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == TimeSpan.FromSeconds(15) ? TimeSpan.FromMilliseconds(50) : dueTime, period);
    }
}
