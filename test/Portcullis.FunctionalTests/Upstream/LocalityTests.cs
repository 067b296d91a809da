using Portcullis.FunctionalTests.Support;
using Portcullis.Resources;

namespace Portcullis.FunctionalTests.Upstream;

/// <summary>Endpoints by their place, on real sockets (<c>localityLbSetting</c>).</summary>
public sealed class LocalityTests
{
    [Fact]
    public async Task NearEndpointsServe_UntilTheyAreEjected()
    {
        var isDown = false;
        using var near = new ScriptedBackend(_ => isDown ? ScriptedAnswer.Of(500) : ScriptedAnswer.Of(200, "near"));
        using var far = new ScriptedBackend(ScriptedAnswer.Of(200, "far"));
        await using var gateway = await StartAsync(near, far, "outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 50, baseEjectionTime: 1h}");

        Assert.Equal(["near"], await BodiesAsync(gateway));

        isDown = true;
        Assert.Equal(500, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        Assert.Equal(["far"], await BodiesAsync(gateway));
    }

    [Fact]
    public async Task Distribute_SendsNothingElsewhere()
    {
        using var near = new ScriptedBackend(ScriptedAnswer.Of(200, "near"));
        using var far = new ScriptedBackend(ScriptedAnswer.Of(200, "far"));
        await using var gateway = await StartAsync(near, far, "loadBalancer: {localityLbSetting: {distribute: [{from: us/*, to: {eu/*: 100} }]} }");

        Assert.Equal(["far"], await BodiesAsync(gateway));
    }

    [Theory]
    [InlineData("true", 2)]
    [InlineData("false", 0)]
    public async Task RetryRemoteLocalities_TriesOtherPlaces_AfterTwoTries(string remote, int there)
    {
        using var near = new ScriptedBackend(ScriptedAnswer.Of(503));
        using var far = new ScriptedBackend(ScriptedAnswer.Of(503));
        await using var gateway = await StartAsync(
            near, far, "outlierDetection: {consecutive5xxErrors: 0}",
            $"retries: {{attempts: 3, retryOn: '503', backoff: 1ms, retryRemoteLocalities: {remote}}}");

        Assert.Equal(503, (await RawHttp.GetAsync(gateway.Port, "/")).Status);

        Assert.Equal((4 - there, there), (near.Requests.Count, far.Requests.Count));
    }

    private static async Task<HashSet<string>> BodiesAsync(InProcessGateway gateway)
    {
        var bodies = new HashSet<string>();
        for (var i = 0; i < 10; i++)
        {
            bodies.Add((await RawHttp.GetAsync(gateway.Port, "/")).Body);
        }

        return bodies;
    }

    private static Task<InProcessGateway> StartAsync(ScriptedBackend near, ScriptedBackend far, string policy, string rule = "") => InProcessGateway.StartAsync(
        1,
        new() { Workload = new() { Labels = new WorkloadIdentity().Labels.Add("topology.istio.io/locality", "us.us-1") } },
        ("virtual-service.yaml", $$"""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: route, namespace: istio-system}
            spec:
              hosts: ["*"]
              gateways: [default/httpbin-gateway]
              http:
              - route: [{destination: {host: up.example.com} }]
                {{rule}}
            """),
        ("up.yaml", $$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: up, namespace: default}
            spec:
              hosts: [up.example.com]
              resolution: STATIC
              ports: [{number: 80, name: http, protocol: HTTP}]
              endpoints:
              - {address: 127.0.0.1, ports: {http: {{near.Port}} }, locality: us/us-1/a}
              - {address: 127.0.0.1, ports: {http: {{far.Port}} }, locality: eu/eu-1/a}
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: up, namespace: default}
            spec: {host: up.example.com, trafficPolicy: { {{policy}} } }
            """));
}
