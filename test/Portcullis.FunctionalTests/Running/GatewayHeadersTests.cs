using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Running;

/// <summary>Headers that the mesh configuration switches, and those that a route gives to refusals (routing.md §2.14, §6.1, §6.2, §6.4).</summary>
public sealed class GatewayHeadersTests
{
    private const string Deny = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: deny-no, namespace: istio-system}
        spec: {action: DENY, rules: [{to: [{operation: {paths: [/no]} }]}]}
        """;

    [Fact]
    public async Task ProxyHeaders_Off_LeavesThemOut()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200, "ok", "Server: mine\r\n"));
        await using var gateway = await StartAsync(backend, """
            defaultConfig:
              proxyHeaders:
                server: {disabled: true}
                requestId: {disabled: true}
                attemptCount: {disabled: true}
                envoyDebugHeaders: {disabled: true}
            """);

        var response = await RawHttp.GetAsync(gateway.Port, "/", "Host: a.com", "X-Request-Id: of-the-client");

        Assert.Equal(("mine", null), (response.Header("server"), response.Header("x-envoy-upstream-service-time")));
        var request = Assert.Single(backend.Requests);
        Assert.Equal("of-the-client", request.Header("x-request-id"));
        Assert.Equal("127.0.0.1", request.Header("x-envoy-external-address"));
        Assert.All(
            ["x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms", "x-envoy-original-host", "x-envoy-original-path", "x-forwarded-host", "x-forwarded-port"],
            name => Assert.Null(request.Header(name)));
        Assert.Null((await RawHttp.GetAsync(gateway.Port, "/no")).Header("server"));
        Assert.Null((await RequestOf(gateway, backend)).Header("x-request-id"));
    }

    [Fact]
    public async Task ForwardedHostAndPort_On_TellWhereTheClientCame()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200));
        await using var gateway = await StartAsync(
            backend, "defaultConfig: {proxyHeaders: {server: {value: edge}, xForwardedHost: {enabled: true}, xForwardedPort: {enabled: true}}}");

        var first = await RequestOf(gateway, backend, "Host: a.com", "X-Forwarded-Port: 1", "X-Forwarded-Host: x.com");
        var second = await RequestOf(gateway, backend, "Host: a.com", "X-Forwarded-Host: x.com, a.com");

        Assert.Equal(("x.com,a.com", $"{gateway.Port}"), (first.Header("x-forwarded-host"), first.Header("x-forwarded-port")));
        Assert.Equal("x.com, a.com", second.Header("x-forwarded-host"));
        Assert.Equal("edge", (await RawHttp.GetAsync(gateway.Port, "/")).Header("server"));
    }

    [Fact]
    public async Task Refusal_HasTheRoutesResponseHeaders_AndItsClusterInTheLog()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200));
        await using var gateway = await StartAsync(
            backend, "accessLogFile: ${access-log}\naccessLogFormat: \"%RESPONSE_CODE% %ROUTE_NAME% %UPSTREAM_CLUSTER% %UPSTREAM_HOST%\\n\"");

        var refused = await RawHttp.GetAsync(gateway.Port, "/no");

        Assert.Equal((403, "max-age=1", "d"), (refused.Status, refused.Header("strict-transport-security"), refused.Header("x-of-destination")));
        Assert.Empty(backend.Requests);
        Assert.Equal(["403 main outbound|80||up.default.svc.cluster.local -"], await gateway.StopAndReadAccessLogAsync());
    }

    [Theory]
    [InlineData("spdy/3.1", 403)]
    [InlineData("TLS/1.0", 403)]
    [InlineData("h2c", 200)]
    public async Task OtherUpgrade_IsRefused(string token, int status)
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200));
        await using var gateway = await StartAsync(backend, "{}");
        using var client = new TcpClient("127.0.0.1", gateway.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {token}\r\n\r\n"), TestContext.Current.CancellationToken);

        var buffer = new byte[12];
        await client.GetStream().ReadExactlyAsync(buffer, TestContext.Current.CancellationToken);

        Assert.Equal($"HTTP/1.1 {status}", Encoding.ASCII.GetString(buffer));
        Assert.Equal(status == 200 ? 1 : 0, backend.Requests.Count);
    }

    private static async Task<ScriptedRequest> RequestOf(InProcessGateway gateway, ScriptedBackend backend, params string[] headers)
    {
        await RawHttp.GetAsync(gateway.Port, "/", headers);
        return backend.Requests[^1];
    }

    private static Task<InProcessGateway> StartAsync(ScriptedBackend backend, string mesh) => InProcessGateway.StartAsync(
        1,
        new() { Mesh = mesh },
        ("virtual-service.yaml", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: route, namespace: istio-system}
            spec:
              hosts: ["*"]
              gateways: [default/httpbin-gateway]
              http:
              - name: main
                timeout: 1h
                rewrite: {authority: in.svc, uri: /new}
                headers: {response: {set: {strict-transport-security: max-age=1} } }
                route: [{destination: {host: up.default.svc.cluster.local}, headers: {response: {add: {x-of-destination: d} } } }]
            """),
        ("policy.yaml", Deny),
        ("up.yaml", Upstream.UpstreamGateway.Documents([backend.Port])));
}
