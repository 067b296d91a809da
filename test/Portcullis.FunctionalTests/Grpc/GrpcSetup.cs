using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Portcullis.FunctionalTests.Grpc.Wire;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Grpc;

/// <summary>A gRPC client, a gateway and a gRPC service behind it.</summary>
internal sealed class GrpcSetup : IAsyncDisposable
{
    private readonly WebBackend _backend;
    private readonly GrpcChannel _channel;
    private readonly CancellationTokenSource _patience = new(PortcullisProcess.Patience);

    private GrpcSetup(WebBackend backend, InProcessGateway gateway)
    {
        (_backend, Gateway) = (backend, gateway);
        var handler = new SocketsHttpHandler { UseProxy = false };
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{gateway.Port}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        Client = new Echo.EchoClient(_channel);
    }

    public InProcessGateway Gateway { get; }

    public Echo.EchoClient Client { get; }

    /// <summary>For every call and every wait of a test: none of them may last for ever.</summary>
    public CancellationToken Stop => _patience.Token;

    /// <param name="service">The backend's.</param>
    /// <param name="rule">YAML of the route's rule.</param>
    /// <param name="isSecure">TLS to the backend, which speaks HTTP/1.1 too.</param>
    /// <param name="resources">More documents.</param>
    public static async Task<GrpcSetup> StartAsync(EchoService service, string rule = "", bool isSecure = false, string resources = "")
    {
        var backend = await WebBackend.StartAsync(
            services => services.AddSingleton(service).AddGrpc(),
            application => application.MapGrpcService<EchoService>(),
            isSecure ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http2,
            isSecure);
        try
        {
            return new(backend, await UpstreamGateway.StartAsync(
                [backend.Port], rule, isSecure ? "tls: {mode: SIMPLE, insecureSkipVerify: true}" : null, portName: "grpc", resources: resources));
        }
        catch
        {
            await backend.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        _patience.Dispose();
        await Gateway.DisposeAsync();
        await _backend.DisposeAsync();
    }
}
