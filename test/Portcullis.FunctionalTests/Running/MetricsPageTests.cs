using System.Text.RegularExpressions;
using Portcullis.FunctionalTests.Authentication;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.Tests.Jwks;

namespace Portcullis.FunctionalTests.Running;

/// <summary>What the gateway exports is what docs/reference/metrics.md lists, and the cache of verified tokens is counted in it.</summary>
[Collection(Alone.Name)]
public sealed partial class MetricsPageTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    /// <summary>Istio's standard labels, in its order.</summary>
    private static readonly string[] IstioLabels =
    [
        "reporter", "source_workload", "source_canonical_service", "source_canonical_revision", "source_workload_namespace", "source_principal", "source_app",
        "source_version", "source_cluster", "destination_workload", "destination_workload_namespace", "destination_principal", "destination_app",
        "destination_version", "destination_service", "destination_canonical_service", "destination_canonical_revision", "destination_service_name",
        "destination_service_namespace", "destination_cluster", "request_protocol", "response_code", "grpc_response_status", "response_flags",
        "connection_security_policy",
    ];

    private const string Issuer = "https://issuer.test";

    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "reference", "metrics.md"));

    [Fact]
    public async Task Scrape_AfterTokensOfEveryKind_ExportsWhatThePageLists()
    {
        var issuer = RemoteKeys.Issuer(Issuer, "known");
        await using var server = await KeyServer.StartAsync(issuer.Key);
        var options = RemoteKeys.Refreshing(RemoteKeys.Never) with
        {
            HasStats = true,
            Mesh = "extensionProviders: [{name: nobody, envoyExtAuthzHttp: {service: nobody.test, port: 80}}]",
        };
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, options, RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")), ("deny.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: deny, namespace: istio-system}
                spec: {action: DENY, rules: [{to: [{operation: {paths: [/denied]}}]}]}
                """), ("allow.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: allow, namespace: istio-system}
                spec: {action: ALLOW, rules: [{}]}
                """), ("dry-run.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: dry-run, namespace: istio-system, annotations: {istio.io/dry-run: "true"}}
                spec: {action: DENY, rules: [{}]}
                """), ("ask.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: ask, namespace: istio-system}
                spec: {action: CUSTOM, provider: {name: nobody}, rules: [{to: [{operation: {paths: [/ask]}}]}]}
                ---
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: nobody, namespace: default}
                spec: {hosts: [nobody.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC}
                """));
        var bearer = "Authorization: Bearer " + issuer.Mint("alice");
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", bearer)).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", bearer)).Status);
        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/denied")).Status);
        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/ask")).Status);
        Assert.Equal(401, (await RawHttp.GetAsync(gateway.Port, "/", "Authorization: Bearer " + RemoteKeys.Issuer(Issuer, "new").Mint("eve"))).Status);
        await server.WaitForRequestsAsync(2);

        var text = await gateway.StatisticsAsync();

        Assert.Matches(@"(?m)^portcullis_jwt_cache_hits_total\S* 1( |$)", text);
        Assert.Matches(@"(?m)^portcullis_jwt_cache_tokens\S* 1( |$)", text);
        var page = PageNames().Order().ToArray();
        var exported = Type().Matches(text).Select(m => m.Groups[1].Value)
            .Where(n => n is not ("target_info" or "otel_scope_info") && !n.StartsWith("dotnet_", StringComparison.Ordinal)).Distinct().Order().ToArray();
        Assert.All(exported, n => Assert.Contains(n, page));

        // No configuration was refused, none has problems, no backend failed, no connection was refused, and none is TCP: these have no series yet.
        string[] silent = ["portcullis_configuration_refused_total", "portcullis_configuration_problems", "portcullis_connections_refused_total", "portcullis_tcp_denied_total"];
        var quiet = page.Where(n => silent.Contains(n) || n.StartsWith("portcullis_upstream_", StringComparison.Ordinal) || n.StartsWith("istio_tcp_", StringComparison.Ordinal));
        Assert.Equal(page.Except(quiet), exported.Except(silent));
    }

    [Fact]
    public async Task Scrape_AfterRequests_HasIstiosLabelsWithValuesOfTheConfiguration()
    {
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new InProcessOptions { HasStats = true });
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", "Host: made-up.example", "x-any: thing")).Status);
        Assert.Equal(200, (await RawHttp.SendTextAsync(
            gateway.Port, "GET /grpc HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nConnection: close\r\n\r\n")).Status);

        var text = await gateway.StatisticsAsync();

        var series = Sample().Matches(text).Where(m => m.Groups[1].Value == "istio_requests_total").Select(m => m.Groups[2].Value).ToArray();
        Assert.Equal(2, series.Length);
        Assert.DoesNotContain("made-up", text, StringComparison.Ordinal);
        var labels = Label().Matches(series.Single(s => s.Contains("\"http\"", StringComparison.Ordinal))).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.Equal(IstioLabels, labels.Keys);
        Assert.Equal(("source", "istio-system", "httpbin.default.svc.cluster.local", "httpbin", "default", "200", "-", "unknown"), (
            labels["reporter"], labels["source_workload_namespace"], labels["destination_service"], labels["destination_service_name"],
            labels["destination_service_namespace"], labels["response_code"], labels["response_flags"], labels["connection_security_policy"]));
        Assert.Contains("request_protocol=\"grpc\"", series.Single(s => s.Contains("grpc\"", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Matches(@"(?m)^portcullis_requests_active 0$", text);
        Assert.Matches(@"(?m)^portcullis_listener_connections_opened_total\{listener=""\*:0""\} 2$", text);
    }

    [Fact]
    public async Task Scrape_ThatAsksForCompressionAndOpenMetrics_GetsTheOneFormat()
    {
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new InProcessOptions { HasStats = true });

        var response = await gateway.ScrapeAsync("Accept: application/openmetrics-text; version=1.0.0", "Accept-Encoding: gzip");

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Header("content-type"));
        Assert.Null(response.Header("content-encoding"));
        Assert.Contains("\nportcullis_configuration_generation", response.Body, StringComparison.Ordinal);
        Assert.Contains("\nportcullis_build_info{", response.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("# EOF", response.Body, StringComparison.Ordinal);
    }

    /// <summary>The names of the first column; one that begins with an underscore goes on from the one before.</summary>
    private static IEnumerable<string> PageNames()
    {
        foreach (var row in Page.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
        {
            var first = "";
            foreach (var name in Name().Matches(row.Split('|')[1]).Select(m => m.Groups[1].Value))
            {
                yield return name.StartsWith('_') ? string.Concat(first.AsSpan(0, first.IndexOf("_hits", StringComparison.Ordinal)), name) : first = name;
            }
        }
    }

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"(?m)^([a-z_]+)\{(.*)\} \S+$")]
    private static partial Regex Sample();

    [GeneratedRegex(@"([a-z_]+)=""([^""]*)""")]
    private static partial Regex Label();

    [GeneratedRegex(@"(?m)^# TYPE (\S+) ")]
    private static partial Regex Type();
}
