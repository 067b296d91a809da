using System.Globalization;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Upstream;

/// <summary>Mirrors and faults on real sockets (routing.md §2.11, §2.12).</summary>
public sealed class MirrorTests
{
    [Fact]
    public async Task Mirror_GetsTheSameRequest_AndTheClientSeesNothingOfIt()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200, "real"));
        using var mirror = new ScriptedBackend(ScriptedAnswer.Of(500, "copy"));
        await using var gateway = await UpstreamGateway.StartAsync(
            [backend.Port], "mirrors: [{destination: {host: copies.example} }]\nheaders: {request: {set: {x-set: \"1\"} } }", resources: Copies(mirror.Port));

        var response = await RawHttp.SendTextAsync(gateway.Port, "POST /p?q HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\nContent-Type: text/x\r\nContent-Length: 4\r\n\r\nbody");
        await RawHttp.GetAsync(gateway.Port, "/second");

        Assert.Equal((200, "real"), (response.Status, response.Body));
        await mirror.WaitForAsync(2);
        var copy = mirror.Requests.Single(r => r.Body.Length > 0);
        Assert.StartsWith("POST /p?q HTTP/1.1\r\n", copy.Head, StringComparison.Ordinal);
        Assert.Equal(("body", "foo.com", "1", "text/x"), (copy.Body, copy.Header("host"), copy.Header("x-set"), copy.Header("content-type")));
    }

    [Fact]
    public async Task Mirror_ThatIsDown_IsNotSeen()
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200, "real"));
        using var dead = new DeadPort();
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "mirror: {host: copies.example}", resources: Copies(dead.Port));

        Assert.Equal("real", (await RawHttp.GetAsync(gateway.Port, "/")).Body);
        Assert.Equal(["200 - via_upstream"], await gateway.StopAndReadAccessLogAsync());
    }

    [Theory]
    [InlineData("UNAVAILABLE", 503)]
    [InlineData("NOT_FOUND", 404)]
    public async Task GrpcAbort_IsAnHttpStatusToOthers(string grpc, int status)
    {
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], $"fault: {{abort: {{grpcStatus: {grpc}, percentage: {{value: 100}} }} }}");

        var plain = await RawHttp.GetAsync(gateway.Port, "/");
        var rpc = await RawHttp.SendAsync(gateway.Port, "POST", "/", "Content-Type: application/grpc", "Content-Length: 0");

        Assert.Equal((status, "fault filter abort"), (plain.Status, plain.Body));
        Assert.Equal((200, (status == 503 ? 14 : 5).ToString(CultureInfo.InvariantCulture)), (rpc.Status, rpc.Header("grpc-status")));
    }

    private static string Copies(int port) =>
        $"{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{name: copies, namespace: default}}, spec: {{hosts: [copies.example], resolution: STATIC, ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: [{{address: 127.0.0.1, ports: {{http: {port}}} }}] }} }}";
}
