using System.Net;
using System.Text.Json;
using Portcullis.FunctionalTests.Support;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Running;

/// <summary>What the backend gets and what the client gets back, byte by byte (routing.md §6).</summary>
public sealed class ForwardingTests
{
    [Fact]
    public async Task Request_ReachesTheBackendAsAnIngressSendsIt()
    {
        var issuer = new TokenIssuer();
        await using var gateway = await RunningGateway.StartAsync("{}", ("jwt.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: {{issuer.Issuer}}, jwks: '{{issuer.JwksJson}}', outputClaimToHeaders: [{header: x-sub, claim: sub}]}]}
            """));

        var response = await RawHttp.GetAsync(
            gateway.Port,
            "/headers",
            "Host: foo.com",
            "Authorization: Bearer " + issuer.Mint("alice"),
            "X-Forwarded-For: 203.0.113.1",
            "X-Forwarded-Proto: https",
            "X-Request-Id: mine",
            "X-Envoy-Retry-On: 5xx",
            "X-Sub: forged",
            "X-Custom: kept");

        Assert.Equal(200, response.Status);
        Assert.Equal("portcullis", response.Header("server"));
        Assert.NotNull(response.Header("x-envoy-upstream-service-time"));
        using var json = JsonDocument.Parse(response.Body);
        var headers = json.RootElement.GetProperty("headers").EnumerateObject().ToDictionary(h => h.Name, h => h.Value.GetString(), StringComparer.OrdinalIgnoreCase);
        Assert.Equal("foo.com", headers["Host"]);
        Assert.Equal("203.0.113.1,127.0.0.1", headers["X-Forwarded-For"]);
        Assert.Equal("http", headers["X-Forwarded-Proto"]);
        Assert.Equal("127.0.0.1", headers["X-Envoy-External-Address"]);
        Assert.Equal("1", headers["X-Envoy-Attempt-Count"]);
        Assert.True(Guid.TryParse(headers["X-Request-Id"], out _));
        Assert.Equal("alice", headers["X-Sub"]);
        Assert.Equal("kept", headers["X-Custom"]);
        Assert.DoesNotContain("Authorization", headers.Keys);
        Assert.DoesNotContain("X-Envoy-Retry-On", headers.Keys);
    }

    [Fact]
    public async Task HeaderThatConnectionNames_EndsAtTheGateway()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/headers")
        {
            Headers = { { "Connection", "x-hop" }, { "X-Hop", "dropped" }, { "X-Kept", "kept" } },
        };

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain("X-Hop", body, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("X-Kept", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/anything/a%2Fb//c?x=%20y&z", "/anything/a%2Fb//c?x=%20y&z")]
    [InlineData("/x/../anything/%61dmin", "/anything/admin")]
    [InlineData("/anything#fragment", "/anything")]
    [InlineData("http://other.example/anything?q", "/anything?q")]
    public async Task Target_IsForwardedNormalisedAndOtherwiseAsItCame(string target, string expected)
    {
        await using var gateway = await RunningGateway.StartAsync("{}");

        var response = await RawHttp.GetAsync(gateway.Port, target);

        Assert.Equal(200, response.Status);
        using var json = JsonDocument.Parse(response.Body);
        Assert.EndsWith(expected, json.RootElement.GetProperty("url").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /get HTTP/1.0\r\nHost: a\r\n\r\n", 426)]
    [InlineData("GET /get HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET /get HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("GET /get HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400)]
    [InlineData("GET /get HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)]
    [InlineData("GET /get HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", 400)]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404)]
    [InlineData("GET /get%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400)]
    public async Task MalformedRequest_NeverReachesTheBackend(string request, int status)
    {
        await using var gateway = await RunningGateway.StartAsync("{}");

        Assert.Equal(status, (await RawHttp.SendTextAsync(gateway.Port, request)).Status);
    }

    [Fact]
    public async Task HeadersBeyondEnvoysLimit_Are431()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");

        Assert.Equal(431, (await RawHttp.GetAsync(gateway.Port, "/get", "X-Big: " + new string('a', 70_000))).Status);
        Assert.Equal(431, (await RawHttp.GetAsync(gateway.Port, "/get", [.. Enumerable.Range(0, 120).Select(i => $"X-{i}: 1")])).Status);
    }

    [Fact]
    public async Task DeadBackend_Is503InEnvoysWords()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");
        await gateway.ApplyAsync(() => gateway.Write("endpoints.yaml", File.ReadAllText(Path.Combine(Samples.Root, "guide/config/endpoints.yaml")).Replace("port: 8000", "port: 1", StringComparison.Ordinal)));

        var response = await RawHttp.GetAsync(gateway.Port, "/get");

        Assert.Equal(503, response.Status);
        Assert.Equal(
            "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: remote connection failure, "
            + "transport failure reason: delayed connect error: Connection refused",
            response.Body);
    }

    [Fact]
    public async Task ServiceWithoutEndpoints_Is503NoHealthyUpstream()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");
        await gateway.ApplyAsync(() => gateway.Delete("endpoints.yaml"));

        var response = await RawHttp.GetAsync(gateway.Port, "/get");

        Assert.Equal((503, "no healthy upstream"), (response.Status, response.Body));
    }

    [Fact]
    public async Task LargeBodies_PassUnchangedBothWays()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        var body = new string('x', 3_000_000);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{gateway.Port}/post") { Content = new StringContent(body) };

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(body, json.RootElement.GetProperty("data").GetString());
    }

    [Fact]
    public async Task AccessLog_HasIstiosLineAndNoToken()
    {
        var issuer = new TokenIssuer();
        await using var gateway = await RunningGateway.StartAsync("accessLogFile: /dev/stdout", ("jwt.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: {{issuer.Issuer}}, jwks: '{{issuer.JwksJson}}'}]}
            """));
        var token = issuer.Mint();

        await RawHttp.GetAsync(gateway.Port, $"/get?access_token={token}", "Host: foo.com", "User-Agent: test/1");

        var line = await gateway.Process.WaitForLineAsync("GET /get?");
        Assert.Matches(
            "^\\[\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\] \"GET /get\\?access_token=<redacted> HTTP/1\\.1\" 200 - via_upstream - \"-\" 0 \\d+ \\d+ \\d+ \"127\\.0\\.0\\.1\" \"test/1\" "
            + "\"[0-9a-f-]{36}\" \"foo\\.com\" \"127\\.0\\.0\\.1:\\d+\" outbound\\|8000\\|\\|httpbin\\.default\\.svc\\.cluster\\.local 127\\.0\\.0\\.1:\\d+ 127\\.0\\.0\\.1:\\d+ 127\\.0\\.0\\.1:\\d+ - -$",
            line);
        Assert.DoesNotContain(token[..20], gateway.Process.StandardOutput + gateway.Process.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_CountAnswersAndRefusals()
    {
        var issuer = new TokenIssuer();
        await using var gateway = await RunningGateway.StartAsync("{}", ("jwt.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: {{issuer.Issuer}}, jwks: '{{issuer.JwksJson}}'}]}
            """));
        await RawHttp.GetAsync(gateway.Port, "/get");
        await RawHttp.GetAsync(gateway.Port, "/get", "Authorization: Bearer nonsense");

        var text = (await RawHttp.GetAsync(gateway.StatsPort, "/stats/prometheus")).Body;

        Assert.Matches("istio_requests_total\\{[^}]*response_code=\"200\"[^}]*\\} 1", text);
        Assert.Matches("portcullis_jwt_refused_total\\{[^}]*status=\"BadFormat\"[^}]*\\} 1", text);
        Assert.Contains("istio_request_duration_milliseconds_bucket", text, StringComparison.Ordinal);
    }
}
