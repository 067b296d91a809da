using System.Net;
using Portcullis.FunctionalTests.Support;
using Portcullis.HttpBin;

namespace Portcullis.FunctionalTests.Running;

/// <summary>Every way to name a backend, on one gateway: host names tell the cases apart.</summary>
public sealed class BackendTests
{
    [Fact]
    public async Task EveryKindOfBackend_IsReached()
    {
        await using var backend = await HttpBinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), cancellationToken: TestContext.Current.CancellationToken);
        var port = backend.EndPoint.Port;
        await using var gateway = await RunningGateway.StartAsync("{}", ("backends.yaml", $$$"""
            apiVersion: v1
            kind: Service
            metadata: {name: old}
            spec: {ports: [{name: http, port: 80}]}
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: {name: old}
            subsets: [{addresses: [{ip: 127.0.0.1}], ports: [{name: http, port: {{{port}}} }]}]
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: alias}
            spec: {type: ExternalName, externalName: localhost, ports: [{name: http, port: {{{port}}} }]}
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: static}
            spec: {hosts: [static.example], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 127.0.0.1, ports: {http: {{{port}}} } }]}
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: dns}
            spec: {hosts: [dns.example], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: localhost, ports: {http: {{{port}}} } }]}
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: unknown}
            spec: {hosts: [unknown.example], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: no-such-name.invalid}]}
            ---
            {{{Route("old", "old")}}}
            ---
            {{{Route("alias", "alias")}}}
            ---
            {{{Route("static", "static.example")}}}
            ---
            {{{Route("dns", "dns.example")}}}
            ---
            {{{Route("unknown", "unknown.example")}}}
            ---
            {{{Route("nowhere", "nowhere.example")}}}
            """));

        foreach (var name in (string[])["old", "alias", "static", "dns"])
        {
            var response = await RawHttp.GetAsync(gateway.Port, "/get", $"Host: {name}.test");
            Assert.Equal((name, 200), (name, response.Status));
            Assert.Contains($"http://{name}.test/get", response.Body, StringComparison.Ordinal);
        }

        // A name without an address has no endpoint; a host that nobody defines has no cluster.
        var unresolved = await RawHttp.GetAsync(gateway.Port, "/get", "Host: unknown.test");
        Assert.Equal((503, "no healthy upstream"), (unresolved.Status, unresolved.Body));
        var undefined = await RawHttp.GetAsync(gateway.Port, "/get", "Host: nowhere.test");
        Assert.Equal((503, ""), (undefined.Status, undefined.Body));
    }

    private static string Route(string name, string destination) =>
        $"{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: {name}}}, spec: {{gateways: [httpbin-gateway], hosts: [{name}.test], http: [{{route: [{{destination: {{host: {destination}}}}}]}}]}}}}";
}
