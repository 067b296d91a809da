using System.Net;
using System.Net.Sockets;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Telemetry;

/// <summary>Spans over OTLP to a real collector, W3C context to a real backend, and a collector that is of no use.</summary>
public sealed class TracingTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string CallerSpan = "00f067aa0ba902b7";
    private const string Sampled = $"traceparent: 00-{TraceId}-{CallerSpan}-01";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_OfASampledTrace_IsASpanThatTheBackendContinues(bool isGrpc)
    {
        await using var collector = await OtlpCollector.StartAsync(isGrpc);
        await using var gateway = await StartAsync(Mesh(collector.Port, isGrpc, sampling: 0));

        var response = await RawHttp.GetAsync(gateway.Port, "/a/b?key=secret", Sampled, "tracestate: vendor=1", "b3: 1-2-1", "Host: foo.com", "User-Agent: probe");

        var echoed = EchoedRequest.Of(response);
        var span = await collector.NextAsync();
        Assert.Equal($"00-{TraceId}-{span.SpanId}-01", Assert.Single(echoed.Lines("traceparent")));
        Assert.Equal("vendor=1", Assert.Single(echoed.Lines("tracestate")));
        Assert.Equal("1-2-1", Assert.Single(echoed.Lines("b3")));
        var id = Assert.Single(echoed.Lines("x-request-id"));
        Assert.Equal('9', id[14]);
        Assert.Equal((TraceId, CallerSpan, "vendor=1", 2L), (span.TraceId, span.ParentId, span.TraceState, span.Kind));
        Assert.Equal("httpbin.default.svc.cluster.local:8000/*", span.Name);
        var tags = span.Tags;
        Assert.Equal(
            ("proxy", "GET", "http://foo.com/a/b", "200", "-", id, "probe"),
            (tags["component"], tags["http.method"], tags["http.url"], tags["http.status_code"], tags["response_flags"], tags["guid:x-request-id"], tags["user_agent"]));
        Assert.Equal(
            ("GET", "/a/b", "/*", "200", "1.1", "http"),
            (tags["http.request.method"], tags["url.path"], tags["http.route"], tags["http.response.status_code"], tags["network.protocol.version"], tags["url.scheme"]));
        Assert.StartsWith("outbound|8000||httpbin", tags["upstream_cluster"], StringComparison.Ordinal);
        Assert.Equal("fixed", tags["own"]);
        Assert.DoesNotContain(tags.Values, v => v.Contains("secret", StringComparison.Ordinal));
        Assert.DoesNotContain("enduser.id", tags.Keys);
        Assert.Contains("service.name=portcullis.istio-system", collector.Resources.First(), StringComparison.Ordinal);
        Assert.Equal("let me in", collector.Headers.First()["x-collector-key"]);
    }

    [Fact]
    public async Task Request_OfATraceThatIsNotSampled_IsNoSpanAndSaysSoUpstream()
    {
        await using var collector = await OtlpCollector.StartAsync(isGrpc: false);
        await using var gateway = await StartAsync(Mesh(collector.Port, false, sampling: 100));

        var unsampled = EchoedRequest.Of(await RawHttp.GetAsync(gateway.Port, "/unsampled", $"traceparent: 00-{TraceId}-{CallerSpan}-00"));
        var begun = EchoedRequest.Of(await RawHttp.GetAsync(gateway.Port, "/begun"));

        Assert.Matches($"^00-{TraceId}-(?!{CallerSpan})[0-9a-f]{{16}}-00$", Assert.Single(unsampled.Lines("traceparent")));
        Assert.Equal('4', Assert.Single(unsampled.Lines("x-request-id"))[14]);
        var span = await collector.NextAsync();
        Assert.Equal("/begun", span.Tags["url.path"]);
        Assert.Equal("", span.ParentId);
        Assert.Equal($"00-{span.TraceId}-{span.SpanId}-01", Assert.Single(begun.Lines("traceparent")));
    }

    [Theory]
    [InlineData("traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    [InlineData("traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    [InlineData("traceparent: ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    [InlineData("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra")]
    [InlineData("traceparent: nonsense")]
    public async Task Request_WithAContextThatIsNone_BeginsATraceOfItsOwn(string header)
    {
        await using var gateway = await StartAsync(Mesh(1, false, sampling: 0));

        var echoed = EchoedRequest.Of(await RawHttp.GetAsync(gateway.Port, "/", header, "tracestate: vendor=1"));

        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", Assert.Single(echoed.Lines("traceparent")));
        Assert.DoesNotContain(TraceId, Assert.Single(echoed.Lines("traceparent")), StringComparison.Ordinal);
        Assert.Empty(echoed.Lines("tracestate"));
    }

    [Fact]
    public async Task Request_WithoutTracing_PassesEveryContextUntouched()
    {
        await using var gateway = await StartAsync("{}");

        var echoed = EchoedRequest.Of(await RawHttp.GetAsync(gateway.Port, "/", "traceparent: anything", "tracestate: a=1"));

        Assert.Equal("anything", Assert.Single(echoed.Lines("traceparent")));
        Assert.Equal("a=1", Assert.Single(echoed.Lines("tracestate")));
    }

    [Fact]
    public async Task Request_ThatIsRefused_IsASpanWithTheDecision()
    {
        await using var collector = await OtlpCollector.StartAsync(isGrpc: false);
        await using var gateway = await StartAsync(Mesh(collector.Port, false, sampling: 100), ("deny.yaml", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: deny, namespace: istio-system}
            spec: {action: DENY, rules: [{}]}
            """));

        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/")).Status);

        var span = await collector.NextAsync();
        Assert.Equal(
            ("httpbin.default.svc.cluster.local:8000/*", "403", "ns[istio-system]-policy[deny]-rule[0]"),
            (span.Name, span.Tags["http.status_code"], span.Tags["portcullis.policy"]));
    }

    [Fact]
    public async Task Spans_FromTheEnvironment_GoWhereItPoints()
    {
        await using var collector = await OtlpCollector.StartAsync(isGrpc: true);
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{collector.Port}",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
            ["OTEL_EXPORTER_OTLP_HEADERS"] = "x-collector-key=let%20me%20in",
            ["OTEL_SERVICE_NAME"] = "edge",
            ["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment=test",
        };
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new InProcessOptions { Variables = environment });

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/from-environment")).Status);

        Assert.Equal("/from-environment", (await collector.NextAsync()).Tags["url.path"]);
        Assert.Contains("service.name=edge", collector.Resources.First(), StringComparison.Ordinal);
        Assert.Contains("deployment.environment=test", collector.Resources.First(), StringComparison.Ordinal);
        Assert.Equal("let me in", collector.Headers.First()["x-collector-key"]);
    }

    [Fact]
    public async Task Collector_ThatHangs_SlowsNoRequestAndIsReportedOnce()
    {
        // Accepts in the backlog and never answers.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var mesh = Mesh(((IPEndPoint)silent.LocalEndpoint).Port, false, sampling: 100).Replace("path: /custom/traces", "path: /custom/traces, timeout: 200ms", StringComparison.Ordinal);
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new InProcessOptions { Mesh = mesh, HasStats = true });

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        }

        await gateway.Log.WaitForAsync("does not take spans");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        }

        Assert.Equal(1, gateway.Log.Count("does not take spans"));
        Assert.Matches(@"portcullis_trace_spans_total\{outcome=""failed""\} [1-9]", await gateway.StatisticsAsync());
    }

    private Task<InProcessGateway> StartAsync(string mesh, params (string File, string Text)[] resources) =>
        InProcessGateway.StartAsync(backend.Port, new InProcessOptions { Mesh = mesh }, resources);

    private static string Mesh(int port, bool isGrpc, int sampling)
    {
        var headers = "[{name: x-collector-key, value: let me in}]";
        var transport = isGrpc ? $"grpc: {{initialMetadata: {headers}}}" : $"http: {{path: /custom/traces, headers: {headers}}}";
        return $$"""
            defaultProviders: {tracing: [otel]}
            defaultConfig:
              tracing:
                sampling: {{sampling}}
                customTags: {own: {literal: {value: fixed} } }
            extensionProviders:
            - name: otel
              opentelemetry: {service: localhost, port: {{port}}, {{transport}} }
            """;
    }
}
