using System.Net;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.Limits;

namespace Portcullis.FunctionalTests.Limits;

/// <summary>What a client sees of each limit (docs/reference/limits.md).</summary>
[Collection(Alone.Name)]
public sealed class LimitsTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string Log = "{accessLogFile: '${access-log}', accessLogFormat: \"%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\\n\"}";

    [Fact]
    public async Task HeadersOverALimit_Are431()
    {
        await using var gateway = await StartAsync(new GatewayLimits { RequestHeadersBytes = 2048, RequestHeaders = 10 });

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", "x: " + new string('y', 1500))).Status);
        Assert.Equal(431, (await RawHttp.GetAsync(gateway.Port, "/", "x: " + new string('y', 2500))).Status);
        Assert.Equal(431, (await RawHttp.GetAsync(gateway.Port, "/", [.. Enumerable.Repeat("x: y", 20)])).Status);
        Assert.Equal(414, (await RawHttp.GetAsync(gateway.Port, "/" + new string('y', 2500))).Status);
        Assert.Equal(
            ["200 - via_upstream", "431 DPE http1.headers_too_large", "431 DPE http1.too_many_headers", "414 DPE http1.headers_too_large"], await gateway.StopAndReadAccessLogAsync());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "400 - missing_host_header")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx y\r\n\r\n", "400 DPE http1.codec_error")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001", "400 DPE http1.codec_error")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "400 DPE http1.codec_error")]
    public async Task ARequestThatIsNone_HasOneLineInTheAccessLog(string request, string line)
    {
        await using var gateway = await StartAsync(new GatewayLimits());

        Assert.Equal(400, (await RawHttp.SendTextAsync(gateway.Port, request)).Status);

        Assert.Equal([line], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task BodyOverTheLimit_Is413_WhetherItsLengthIsSaidOrNot()
    {
        await using var gateway = await StartAsync(new GatewayLimits { RequestBodyBytes = 10 });

        Assert.Equal(200, (await PostAsync(gateway.Port, "Content-Length: 10\r\n\r\n0123456789")).Status);
        var said = await PostAsync(gateway.Port, "Content-Length: 11\r\n\r\n01234567890");
        Assert.Equal((413, "Payload Too Large"), (said.Status, said.Body));
        var unsaid = await PostAsync(gateway.Port, "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n");
        Assert.Equal((413, "Payload Too Large"), (unsaid.Status, unsaid.Body));
        Assert.Contains("413 - request_payload_too_large", await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task HeadersThatDoNotEnd_AreGivenUpOn()
    {
        await using var gateway = await StartAsync(new GatewayLimits { RequestHeadersTimeout = TimeSpan.FromSeconds(1) });

        var answer = await RawHttp.SendTextAsync(gateway.Port, "GET / HTTP/1.1\r\nHost: a");

        Assert.Equal(408, answer.Status);
        Assert.Equal(["408 - request_header_timeout"], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task BodyThatComesTooSlowly_Is408()
    {
        // One that waits for the whole body: an answer that is complete before it would end the request.
        using var patient = new ScriptedBackend(ScriptedAnswer.Of(200));
        await using var gateway = await InProcessGateway.StartAsync(
            patient.Port, new() { Limits = new GatewayLimits { RequestBodyMinRate = 1000, StallTimeout = TimeSpan.FromSeconds(2) } });

        var answer = await PostAsync(gateway.Port, "Content-Length: 1000\r\n\r\n0");

        Assert.Equal((408, "request timeout"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task ClientThatDoesNotRead_IsCutAndItsBackendLetGo()
    {
        using var flood = new FloodBackend();
        await using var gateway = await InProcessGateway.StartAsync(
            flood.Port, new() { Limits = new GatewayLimits { ResponseMinRate = 100_000_000, StallTimeout = TimeSpan.FromSeconds(2) } });
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);

        await flood.Ended;
    }

    [Fact]
    public async Task RequestsOfOneConnection_OverTheLimit_CloseItInGoodOrder()
    {
        await using var gateway = await StartAsync(new GatewayLimits { RequestsPerConnection = 2 });

        var answers = await RawHttp.SendTextAsync(gateway.Port, string.Concat(Enumerable.Repeat("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 3)));

        Assert.Equal(1, answers.Body.Split("HTTP/1.1 200").Length - 1); // the first is parsed, the second is behind it, the third is not served
        Assert.Contains("Connection: close", answers.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ConnectionsOverTheCap_AreClosedUntilOneLeaves(bool ofListener)
    {
        await using var gateway = await StartAsync(ofListener ? new GatewayLimits { ConnectionsPerListener = 1 } : new GatewayLimits { Connections = 1 }, stats: true);
        using (var first = new TcpClient())
        {
            await first.ConnectAsync(IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken);
            await first.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            Assert.NotEqual(0, await first.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken));

            Assert.True(await IsClosedAsync(gateway.Port));
            // The control ports are never shed.
            Assert.Contains($"reason=\"{(ofListener ? "listener_connections" : "connections")}\"}} 1", await gateway.StatisticsAsync(), StringComparison.Ordinal);
        }

        // Served again, as soon as the gateway has seen that the one before left.
        while (await IsClosedAsync(gateway.Port))
        {
            await Task.Yield();
        }

        int status;
        while ((status = await StatusAsync(gateway.Port)) == 0)
        {
            await Task.Yield();
        }

        Assert.Equal(200, status);
    }

    [Fact]
    public async Task RequestsInFlight_OverTheCap_Are503WithTheFlagOfOverload()
    {
        using var holding = new HoldingBackend();
        await using var gateway = await InProcessGateway.StartAsync(holding.Port, new() { Mesh = Log, Limits = new GatewayLimits { ActiveRequests = 1 } });
        var first = RawHttp.GetAsync(gateway.Port, "/");
        await holding.Received;

        var second = await RawHttp.GetAsync(gateway.Port, "/");
        Assert.Equal((503, "envoy overloaded", null), (second.Status, second.Body, second.Header("retry-after")));
        var grpc = await RawHttp.GetAsync(gateway.Port, "/", "content-type: application/grpc");
        Assert.Equal((200, "14"), (grpc.Status, grpc.Header("grpc-status")));
        holding.Answer();
        Assert.Equal(200, (await first).Status);

        Assert.Contains("503 OM overload", await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Run_OnALimitThatIsNone_SaysWhichThereAre()
    {
        var (code, _, error) = await PortcullisProcess.RunAsync("run", "-f", ".", "--limit", "bodies=3");

        Assert.Equal(2, code);
        Assert.Contains("request-body-bytes", error, StringComparison.Ordinal);
    }

    private Task<InProcessGateway> StartAsync(GatewayLimits limits, bool stats = false) =>
        InProcessGateway.StartAsync(backend.Port, new() { Mesh = Log, Limits = limits, HasStats = stats });

    private static Task<RawResponse> PostAsync(int port, string rest) =>
        RawHttp.SendTextAsync(port, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + rest);

    /// <summary>Status of an answer; 0 when the connection was closed without one.</summary>
    private static async Task<int> StatusAsync(int port)
    {
        try
        {
            return (await RawHttp.GetAsync(port, "/")).Status;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return 0;
        }
    }

    private static async Task<bool> IsClosedAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
            return await client.GetStream().ReadAsync(new byte[1]) == 0;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return true;
        }
    }

    /// <summary>Answers with a body that never ends.</summary>
    private sealed class FloodBackend : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _flood;

        public FloodBackend()
        {
            _listener.Start();
            _flood = FloodAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        /// <summary>The gateway closed the connection.</summary>
        public Task Ended => _flood.WaitAsync(PortcullisProcess.Patience);

        public void Dispose() => _listener.Dispose();

        private async Task FloodAsync()
        {
            using var client = await _listener.AcceptTcpClientAsync();
            try
            {
                await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
                while (true)
                {
                    await client.GetStream().WriteAsync(new byte[64 * 1024]);
                }
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
            }
        }
    }
}
