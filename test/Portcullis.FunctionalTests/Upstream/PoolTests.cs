using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Upstream;

/// <summary>Limits, outliers and hashing of a DestinationRule on real sockets (routing.md §4.3–§4.5).</summary>
public sealed class PoolTests
{
    private const string Overflow = "upstream connect error or disconnect/reset before headers. reset reason: overflow";

    [Theory]
    [InlineData("connectionPool: {http: {http2MaxRequests: 1} }", 1)]
    [InlineData("connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1} }", 2)]
    public async Task RequestsBeyondTheLimit_Overflow(string policy, int admitted)
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Nothing);
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], policy: policy);

        // Which of them is the one too many is open.
        var requests = Enumerable.Range(0, admitted + 1).Select(_ => new HeldRequest(gateway.Port)).ToArray();
        await backend.WaitForAsync(1);
        var refused = await (await Task.WhenAny(requests.Select(r => r.AnswerAsync())));

        Assert.Equal((503, Overflow, "true"), (refused!.Status, refused.Body, refused.Header("x-envoy-overloaded")));
        Assert.Single(backend.Requests);
        Array.ForEach(requests, h => h.Dispose());
        Assert.Contains("503 UO upstream_reset_before_response_started{overflow}", await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task WaitingRequest_GetsTheConnectionOfTheOneBefore()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200, "ok"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], policy: "connectionPool: {tcp: {maxConnections: 1} }");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => RawHttp.GetAsync(gateway.Port, "/")));

        Assert.All(answers, a => Assert.Equal(200, a.Status));
        Assert.Equal(1, backend.Connections);
    }

    [Fact]
    public async Task MaxRequestsPerConnection1_EndsKeepAlive()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200, "ok"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], policy: "connectionPool: {http: {maxRequestsPerConnection: 1} }");

        await RawHttp.GetAsync(gateway.Port, "/");
        await RawHttp.GetAsync(gateway.Port, "/");

        Assert.All(backend.Requests, r => Assert.Equal("close", r.Header("connection")));
        Assert.Equal(2, backend.Connections);
    }

    [Fact]
    public async Task MaxRequestsPerConnection_EndsAConnectionAfterSoMany()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200, "ok"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], policy: "connectionPool: {http: {maxRequestsPerConnection: 3} }");

        for (var i = 0; i < 7; i++)
        {
            await RawHttp.GetAsync(gateway.Port, "/");
        }

        Assert.Equal(3, backend.Connections);
        Assert.Equal([null, null, "close", null, null, "close", null], backend.Requests.Select(r => r.Header("connection")));
    }

    [Theory]
    [InlineData("[404]", 404, 2)]
    [InlineData("[404]", 500, 4)]
    public async Task OutlierDetectionHttpErrorCodes_CountInThePlaceOf5xx(string codes, int status, int seen)
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(status));
        await using var gateway = await UpstreamGateway.StartAsync(
            [backend.Port], policy: $"outlierDetection: {{consecutive5xxErrors: 2, maxEjectionPercent: 100, outlierDetectionHttpErrorCodes: {codes}}}");

        for (var i = 0; i < 4; i++)
        {
            await RawHttp.GetAsync(gateway.Port, "/");
        }

        Assert.Equal(seen, backend.Requests.Count);
    }

    [Fact]
    public async Task MaxRetries_ForbidsTheRetry_WithUO()
    {
        using var holding = new ScriptedBackend(r => r.Number == 1 ? ScriptedAnswer.Of(503) : ScriptedAnswer.Nothing);
        await using var gateway = await UpstreamGateway.StartAsync(
            [holding.Port], "retries: {attempts: 1, retryOn: 5xx, backoff: 1ms}", "connectionPool: {http: {maxRetries: 1} }");
        using var first = new HeldRequest(gateway.Port);
        await holding.WaitForAsync(2);
        using var dead = new DeadPort();
        await gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents([dead.Port], "connectionPool: {http: {maxRetries: 1} }"));

        Assert.Equal(503, (await RawHttp.GetAsync(gateway.Port, "/")).Status);

        first.Dispose();
        Assert.Contains(await gateway.StopAndReadAccessLogAsync(), l => l.StartsWith("503 UF,UO ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FailingEndpoint_IsEjected_AndStaysSoOverAReload()
    {
        const string Policy = "outlierDetection: {consecutive5xxErrors: 2, maxEjectionPercent: 50, baseEjectionTime: 1h}";
        using var bad = new ScriptedBackend(ScriptedAnswer.Of(500, "bad"));
        using var good = new ScriptedBackend(ScriptedAnswer.Of(200, "good"));
        await using var gateway = await UpstreamGateway.StartAsync([bad.Port, good.Port], policy: Policy);
        for (var i = 0; i < 1000 && bad.Requests.Count < 2; i++)
        {
            await RawHttp.GetAsync(gateway.Port, "/");
        }

        await gateway.ApplyAsync("up.yaml", UpstreamGateway.Documents([bad.Port, good.Port], Policy, resources: "{apiVersion: v1, kind: Service, metadata: {name: other}, spec: {ports: [{name: http, port: 80}]} }"));

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("good", (await RawHttp.GetAsync(gateway.Port, "/")).Body);
        }

        Assert.Equal(2, bad.Requests.Count);
    }

    [Theory]
    [InlineData("httpHeaderName: x-user", "/", "x-user: 7")]
    [InlineData("httpQueryParameterName: user", "/?user=7", "x: y")]
    [InlineData("useSourceIp: true", "/", "x: y")]
    [InlineData("httpCookie: {name: user, ttl: 0s}", "/", "cookie: a=b; user=7")]
    public async Task ConsistentHash_KeepsAKeyAtOneEndpoint(string key, string target, string header)
    {
        using var a = new ScriptedBackend(ScriptedAnswer.Of(200, "a"));
        using var b = new ScriptedBackend(ScriptedAnswer.Of(200, "b"));
        using var c = new ScriptedBackend(ScriptedAnswer.Of(200, "c"));
        await using var gateway = await UpstreamGateway.StartAsync([a.Port, b.Port, c.Port], policy: $"loadBalancer: {{consistentHash: {{{key}}} }}");

        var bodies = new HashSet<string>();
        for (var i = 0; i < 15; i++)
        {
            var response = await RawHttp.GetAsync(gateway.Port, target, header);
            Assert.Null(response.Header("set-cookie"));
            bodies.Add(response.Body);
        }

        Assert.Single(bodies);
    }

    [Fact]
    public async Task ConsistentHash_GivesACookie_ThatLeadsBack()
    {
        using var a = new ScriptedBackend(ScriptedAnswer.Of(200, "a"));
        using var b = new ScriptedBackend(ScriptedAnswer.Of(200, "b"));
        await using var gateway = await UpstreamGateway.StartAsync([a.Port, b.Port], policy: "loadBalancer: {consistentHash: {httpCookie: {name: user, path: /p, ttl: 60s, attributes: [{name: SameSite, value: Lax}, {name: Secure}]} } }");

        var first = await RawHttp.GetAsync(gateway.Port, "/");

        var cookie = first.Header("set-cookie");
        Assert.Matches("^user=\"[0-9a-f]{16}\"; Max-Age=60; Path=/p; SameSite=Lax; Secure; HttpOnly$", cookie);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(first.Body, (await RawHttp.GetAsync(gateway.Port, "/", "Cookie: " + cookie!.Split(';')[0])).Body);
        }
    }

    /// <summary>A request whose answer nobody waits for, until it is disposed of.</summary>
    private sealed class HeldRequest : IDisposable
    {
        private readonly System.Net.Sockets.TcpClient _client = new();

        public HeldRequest(int port)
        {
            _client.Connect(System.Net.IPAddress.Loopback, port);
            _client.GetStream().Write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        }

        /// <summary>The answer; <see langword="null"/> when there was none.</summary>
        public async Task<RawResponse?> AnswerAsync()
        {
            try
            {
                using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
                var buffer = new byte[16 * 1024];
                for (var length = 0; ;)
                {
                    var read = await _client.GetStream().ReadAsync(buffer.AsMemory(length), patience.Token);
                    length += read;
                    if (read == 0 || RawHttp.IsComplete(buffer.AsSpan(0, length)))
                    {
                        return RawHttp.Parse(System.Text.Encoding.Latin1.GetString(buffer, 0, length), isHead: false);
                    }
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
            {
                return null;
            }
        }

        public void Dispose() => _client.Dispose();
    }
}
