using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Routing;

/// <summary>Endpoints that are no pods: ServiceEntries and Services that select WorkloadEntries (routing.md §5).</summary>
public sealed class WorkloadEntryTests : IDisposable
{
    private const string Routes = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: gw, namespace: istio-system}
        spec:
          selector: {istio: ingressgateway}
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: vs, namespace: default}
        spec:
          gateways: [istio-system/gw]
          hosts: ["*"]
          http:
          - match: [{uri: {prefix: /v2}}]
            route: [{destination: {host: vm.example.com, subset: v2}}]
          - match: [{uri: {prefix: /service}}]
            route: [{destination: {host: vms}}]
          - route: [{destination: {host: vm.example.com}}]
            rewrite: {authority: inner.example}
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: vm, namespace: default}
        spec:
          hosts: [vm.example.com]
          resolution: STATIC
          location: MESH_INTERNAL
          ports: [{number: 80, name: web, protocol: HTTP}]
          workloadSelector: {labels: {app: vm}}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: vm, namespace: default}
        spec:
          host: vm.example.com
          subsets: [{name: v2, labels: {version: v2}}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: vms, namespace: default}
        spec:
          selector: {app: vm, version: v2}
          ports: [{name: web, port: 80}]
        """;

    private readonly ScriptedBackend _one = new(request => ScriptedAnswer.Of(200, "one", $"x-seen: {request.Header("host")} {request.Header("x-envoy-original-host")}\r\n"));
    private readonly ScriptedBackend _two = new(ScriptedAnswer.Of(200, "two"));

    [Fact]
    public async Task SelectedWorkloads_AreTheEndpoints_BySubsetToo_AndComeAndGo()
    {
        await using var gateway = await InProcessGateway.StartAsync(
            0, new() { HasGuide = false }, ("routes.yaml", Routes), ("one.yaml", Workload("one", "v1", _one.Port)), ("two.yaml", Workload("two", "v2", _two.Port, "other")));

        Assert.Equal(["one", "one", "one"], await AskAsync(gateway, "/", 3));
        Assert.Equal((503, "no healthy upstream"), await StatusAsync(gateway, "/v2"));

        await gateway.ApplyAsync("two.yaml", Workload("two", "v2", _two.Port));
        Assert.Equal(["two", "two", "two"], await AskAsync(gateway, "/v2", 3));
        Assert.Equal(["two"], await AskAsync(gateway, "/service", 1));
        var both = await AskAsync(gateway, "/", 50);
        Assert.Equal(["one", "two"], both.Distinct().Order());

        await gateway.ApplyAsync("one.yaml", Workload("one", "v1", _one.Port, labels: "app: other"));
        Assert.Equal(["two"], (await AskAsync(gateway, "/", 10)).Distinct());
    }

    [Fact]
    public async Task RewrittenHost_GoesBesideTheOriginalOne_WhichNoClientCanSay()
    {
        await using var gateway = await InProcessGateway.StartAsync(0, new() { HasGuide = false }, ("routes.yaml", Routes), ("one.yaml", Workload("one", "v2", _one.Port)));

        var rewritten = await RawHttp.GetAsync(gateway.Port, "/", "Host: Outer.example:8080", "x-envoy-original-host: forged");
        var kept = await RawHttp.GetAsync(gateway.Port, "/v2", "Host: outer.example", "x-envoy-original-host: forged");

        Assert.Equal(("inner.example Outer.example:8080", "outer.example"), (rewritten.Header("x-seen"), kept.Header("x-seen")));
    }

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    private static string Workload(string name, string version, int port, string ns = "default", string labels = "app: vm") => $$"""
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: {{name}}, namespace: {{ns}} }
        spec:
          address: 127.0.0.1
          ports: {web: {{port}} }
          labels: { {{labels}}, version: {{version}} }
        """;

    private static async Task<(int Status, string Body)> StatusAsync(InProcessGateway gateway, string path)
    {
        var response = await RawHttp.GetAsync(gateway.Port, path);
        return (response.Status, response.Body);
    }

    private static async Task<List<string>> AskAsync(InProcessGateway gateway, string path, int times)
    {
        var answers = new List<string>();
        for (var i = 0; i < times; i++)
        {
            var (status, body) = await StatusAsync(gateway, path);
            Assert.Equal(200, status);
            answers.Add(body);
        }

        return answers;
    }
}
