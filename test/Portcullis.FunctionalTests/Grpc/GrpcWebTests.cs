using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Portcullis.FunctionalTests.Grpc.Wire;

namespace Portcullis.FunctionalTests.Grpc;

/// <summary>What browsers speak, translated for a gRPC service (routing.md §1.3): HTTP/1.1 in, HTTP/2 out.</summary>
public sealed class GrpcWebTests
{
    [Theory]
    [InlineData(GrpcWebMode.GrpcWeb)]
    [InlineData(GrpcWebMode.GrpcWebText)]
    public async Task Unary_AnswerAndTrailersAreTranslated(GrpcWebMode mode)
    {
        await using var setup = await StartAsync(new()
        {
            OnUnary = async (message, context) =>
            {
                await context.WriteResponseHeadersAsync(new() { { "x-first", "1" } });
                context.ResponseTrailers.Add("x-last", "2");
                return new Message { Text = message.Text + "!" };
            },
        });
        using var channel = Channel(setup, mode);

        using var call = new Echo.EchoClient(channel).UnaryAsync(new Message { Text = new string('x', 100_000) }, cancellationToken: setup.Stop);

        Assert.Equal(new string('x', 100_000) + "!", (await call).Text);
        Assert.Equal(("1", "2"), ((await call.ResponseHeadersAsync).GetValue("x-first"), call.GetTrailers().GetValue("x-last")));
    }

    [Theory]
    [InlineData(GrpcWebMode.GrpcWeb)]
    [InlineData(GrpcWebMode.GrpcWebText)]
    public async Task Failure_OfTheServiceAndOfTheGateway_IsAGrpcStatus(GrpcWebMode mode)
    {
        await using var setup = await StartAsync(new()
        {
            OnUnary = (_, _) => throw new RpcException(new Status(StatusCode.FailedPrecondition, "not now")),
        });
        using var channel = Channel(setup, mode);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new Message(), cancellationToken: setup.Stop));
        Assert.Equal((StatusCode.FailedPrecondition, "not now"), (failure.StatusCode, failure.Status.Detail));

        await setup.Gateway.ApplyAsync("virtual-service.yaml", """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: route, namespace: istio-system}
            spec:
              hosts: ["*"]
              gateways: [default/httpbin-gateway]
              http:
              - fault: {abort: {httpStatus: 503, percentage: {value: 100} } }
                route: [{destination: {host: up.default.svc.cluster.local} }]
            """);
        failure = await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new Message(), cancellationToken: setup.Stop));
        Assert.Equal((StatusCode.Unavailable, "fault filter abort"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task PlainServer_DoesNotTranslate()
    {
        await using var setup = await GrpcSetup.StartAsync(new());
        using var channel = Channel(setup, GrpcWebMode.GrpcWeb);

        await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new Message(), cancellationToken: setup.Stop));
    }

    private static async Task<GrpcSetup> StartAsync(EchoService service)
    {
        var setup = await GrpcSetup.StartAsync(service);
        await setup.Gateway.ApplyAsync("gateway.yaml", """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: httpbin-gateway, namespace: default}
            spec:
              selector: {istio: ingressgateway}
              servers: [{hosts: ['*'], port: {name: web, number: 80, protocol: GRPC-WEB} }]
            """);
        return setup;
    }

    private static GrpcChannel Channel(GrpcSetup setup, GrpcWebMode mode) => GrpcChannel.ForAddress($"http://127.0.0.1:{setup.Gateway.Port}", new GrpcChannelOptions
    {
        HttpHandler = new GrpcWebHandler(mode, new SocketsHttpHandler { UseProxy = false }),
        HttpVersion = new Version(1, 1),
    });
}
