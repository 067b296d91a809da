using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Upstream;

/// <summary>Retries and timeouts on real sockets, with backends that misbehave (routing.md §2.9, §2.10, §6.7).</summary>
public sealed class RetryTests
{
    private const string Fast = "backoff: 1ms";

    [Fact]
    public async Task Default_DoesNotRetryA503()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(503, "busy"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port]);

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((503, "busy"), (response.Status, response.Body));
        Assert.Single(backend.Requests);
        Assert.Equal(["503 - via_upstream"], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Default_TriesAnotherEndpoint_WhenOneRefuses()
    {
        using var dead = new DeadPort();
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200, "ok"));
        await using var gateway = await UpstreamGateway.StartAsync([dead.Port, backend.Port]);

        for (var i = 0; i < 10; i++)
        {
            var response = await RawHttp.SendAsync(gateway.Port, "POST", "/", "Content-Length: 0");
            Assert.Equal((200, "ok"), (response.Status, response.Body));
        }

        Assert.Contains("2", backend.Requests.Select(r => r.Header("x-envoy-attempt-count")));
    }

    [Fact]
    public async Task EveryEndpointRefuses_IsAnsweredInEnvoysWords_WithURX()
    {
        using var dead = new DeadPort();
        await using var gateway = await UpstreamGateway.StartAsync([dead.Port], "retries: {attempts: 1, backoff: 1ms}");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal(503, response.Status);
        Assert.Equal(
            "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused",
            response.Body);
        Assert.StartsWith("503 UF,URX upstream_reset_before_response_started{remote_connection_failure,", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StatusCode_IsRetriedAsOftenAsWritten_AndTheLastAnswerIsPassedOn()
    {
        using var backend = new ScriptedBackend(r => ScriptedAnswer.Of(503, r.Number.ToString(CultureInfo.InvariantCulture)));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 3, retryOn: \"503\", " + Fast + "}");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((503, "4"), (response.Status, response.Body));
        Assert.Equal(["1", "2", "3", "4"], backend.Requests.Select(r => r.Header("x-envoy-attempt-count")));
        Assert.Equal(["503 URX via_upstream"], await gateway.StopAndReadAccessLogAsync());
    }

    [Theory]
    [InlineData("5xx", 500, "", true)]
    [InlineData("5xx", 404, "", false)]
    [InlineData("gateway-error", 504, "", true)]
    [InlineData("gateway-error", 500, "", false)]
    [InlineData("retriable-4xx", 409, "", true)]
    [InlineData("retriable-4xx", 429, "", false)]
    [InlineData("retriable-status-codes,429", 429, "", true)]
    [InlineData("5xx", 503, "x-envoy-ratelimited: true", false)]
    [InlineData("envoy-ratelimited", 429, "x-envoy-ratelimited: true", true)]
    [InlineData("unavailable", 200, "grpc-status: 14", true)]
    [InlineData("cancelled", 200, "grpc-status: 1", true)]
    [InlineData("deadline-exceeded", 200, "grpc-status: 4", true)]
    [InlineData("resource-exhausted", 200, "grpc-status: 8", true)]
    [InlineData("internal", 200, "grpc-status: 13", true)]
    [InlineData("unavailable", 200, "grpc-status: 0", false)]
    public async Task RetryOn_LooksAtTheHead(string retryOn, int status, string header, bool isRetried)
    {
        using var backend = new ScriptedBackend(r => r.Number == 1 ? ScriptedAnswer.Of(status, "first", header.Length > 0 ? header + "\r\n" : "") : ScriptedAnswer.Of(200, "second"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], $"retries: {{attempts: 1, retryOn: \"{retryOn}\", {Fast}}}");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal(isRetried ? "second" : "first", response.Body);
        Assert.Equal(isRetried ? null : header.Split(": ").ElementAtOrDefault(1), header.Length == 0 ? null : response.Header(header.Split(": ")[0]));
    }

    [Theory]
    [InlineData("reset", true)]
    [InlineData("5xx", true)]
    [InlineData("gateway-error", true)]
    [InlineData("connect-failure", false)]
    [InlineData("reset-before-request", false)]
    public async Task ConnectionClosedBeforeTheAnswer_IsRetriedByThePolicy(string retryOn, bool isRetried)
    {
        using var backend = new ScriptedBackend(r => r.Number == 1 ? ScriptedAnswer.Reset : ScriptedAnswer.Of(200, "second"));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], $"retries: {{attempts: 1, retryOn: \"{retryOn}\", {Fast}}}");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal(isRetried ? 200 : 503, response.Status);
        Assert.Equal([isRetried ? "200 - via_upstream" : "503 UC upstream_reset_before_response_started{connection_termination}"], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Body_IsSentAgain()
    {
        using var backend = new ScriptedBackend(r => ScriptedAnswer.Of(r.Number < 3 ? 503 : 200, r.Body));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 3, retryOn: 5xx, backoff: 1ms}");
        var body = new string('x', 300_000);

        var response = await RawHttp.SendTextAsync(gateway.Port, $"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.Equal((200, body), (response.Status, response.Body));
        Assert.All(backend.Requests, r => Assert.Equal(body, r.Body));
    }

    [Fact]
    public async Task BodyAboveTheLimit_IsSentOnce()
    {
        using var backend = new ScriptedBackend(r => ScriptedAnswer.Of(503, r.Body.Length.ToString(CultureInfo.InvariantCulture)));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 3, retryOn: 5xx, backoff: 1ms}");
        var body = new string('x', (1024 * 1024) + 1);

        var response = await RawHttp.SendTextAsync(gateway.Port, $"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.Equal((503, $"{body.Length}"), (response.Status, response.Body));
        Assert.Single(backend.Requests);
        Assert.Equal(["503 - via_upstream"], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task ResponseThatBreaksOff_IsNeverRetried_AndTheClientSeesIt()
    {
        using var backend = new ScriptedBackend(new ScriptedAnswer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart") { Closes = true });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 3, retryOn: \"5xx,reset\", backoff: 1ms}");

        var answer = await Record.ExceptionAsync(() => RawHttp.GetAsync(gateway.Port, "/"));

        Assert.True(answer is IOException || answer is null);
        Assert.Single(backend.Requests);
        Assert.Equal(["200 UC upstream_reset_after_response_started{connection_termination}"], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Garbage_IsAProtocolError()
    {
        using var backend = new ScriptedBackend(new ScriptedAnswer("SSH-2.0-OpenSSH_9\r\n\r\n") { Closes = true });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port]);

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((502, "upstream connect error or disconnect/reset before headers. reset reason: protocol error"), (response.Status, response.Body));
        Assert.Equal(["502 UPE upstream_reset_before_response_started{protocol_error}"], await gateway.StopAndReadAccessLogAsync());
    }

    [Fact]
    public async Task Timeout_SpansAllTries_AndTheBackendIsToldWhatIsLeft()
    {
        var time = new FakeTimeProvider();
        using var backend = new ScriptedBackend(ScriptedAnswer.Nothing);
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "timeout: 1s", time: time);

        var pending = RawHttp.GetAsync(gateway.Port, "/");
        await backend.WaitForAsync(1);
        time.Advance(TimeSpan.FromSeconds(1));
        var response = await pending;

        Assert.Equal((504, "upstream request timeout"), (response.Status, response.Body));
        Assert.Equal("1000", backend.Requests[0].Header("x-envoy-expected-rq-timeout-ms"));
        Assert.Equal(["504 UT response_timeout"], await gateway.StopAndReadAccessLogAsync());
    }

    [Theory]
    [InlineData("5xx", 2, "504 UT,URX upstream_per_try_timeout")]
    [InlineData("connect-failure", 1, "504 UT upstream_per_try_timeout")]
    public async Task PerTryTimeout_EndsATry(string retryOn, int tries, string log)
    {
        var time = new FakeTimeProvider();
        using var backend = new ScriptedBackend(ScriptedAnswer.Nothing);
        await using var gateway = await UpstreamGateway.StartAsync(
            [backend.Port], $"timeout: 10s\nretries: {{attempts: 1, perTryTimeout: 1s, retryOn: {retryOn}, backoff: 1ms}}", time: time);

        var pending = RawHttp.GetAsync(gateway.Port, "/");
        for (var i = 1; i <= tries; i++)
        {
            await backend.WaitForAsync(i);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        var response = await pending;
        Assert.Equal((504, "upstream request timeout"), (response.Status, response.Body));
        Assert.All(backend.Requests, r => Assert.Equal("1000", r.Header("x-envoy-expected-rq-timeout-ms")));
        Assert.Equal([log], await gateway.StopAndReadAccessLogAsync());
    }

    [Theory]
    [InlineData("", "2S", "2000m", "2000")]
    [InlineData("timeout: 1s", "2S", "1000m", "1000")]
    [InlineData("timeout: 5s", "2S", "2000m", "2000")]
    [InlineData("", "nonsense", "nonsense", null)]
    public async Task GrpcTimeout_LimitsTheRequest_CappedByTheRoute(string rule, string asked, string forwarded, string? expected)
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], rule, time: new FakeTimeProvider());

        var response = await RawHttp.SendAsync(gateway.Port, "POST", "/", "Content-Type: application/grpc", "Content-Length: 0", "grpc-timeout: " + asked);

        Assert.Equal((200, ""), (response.Status, response.Header("grpc-message") ?? ""));
        Assert.Equal(forwarded, backend.Requests[0].Header("grpc-timeout"));
        Assert.Equal(expected, backend.Requests[0].Header("x-envoy-expected-rq-timeout-ms"));
    }

    [Fact]
    public async Task SlowUpload_DoesNotUseUpTheTimeout()
    {
        var time = new FakeTimeProvider();
        using var backend = new ScriptedBackend(r => ScriptedAnswer.Of(200, r.Body));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "timeout: 1s", time: time);
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(System.Net.IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();

        await stream.WriteAsync("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\na"u8.ToArray(), TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(5));
        await stream.WriteAsync("b"u8.ToArray(), TestContext.Current.CancellationToken);

        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 200", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

}
