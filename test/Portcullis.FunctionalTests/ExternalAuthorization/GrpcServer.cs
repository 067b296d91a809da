using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Envoy = Portcullis.Gateway.ExternalAuthorization.Wire;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary>A real Grpc.AspNetCore server that speaks <c>envoy.service.auth.v3.Authorization</c> over HTTP/2 in clear.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Service _service;

    private GrpcServer(WebApplication application, Service service) => (_application, _service) = (application, service);

    public int Port { get; private set; }

    public Envoy.CheckRequest Request => Assert.Single(_service.Requests);

    public Envoy.AttributeContext.Types.HttpRequest Http => Request.Attributes.Request.Http;

    public string Authority => Assert.Single(_service.Authorities);

    public static Task<GrpcServer> StartAsync(Envoy.CheckResponse answer) => StartAsync((_, _) => Task.FromResult(answer));

    public static async Task<GrpcServer> StartAsync(Func<Envoy.CheckRequest, ServerCallContext, Task<Envoy.CheckResponse>> answer)
    {
        var service = new Service(answer);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(service);
        builder.WebHost.ConfigureKestrel(o => o.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        var application = builder.Build();
        application.MapGrpcService<Service>();
        await application.StartAsync();
        return new GrpcServer(application, service) { Port = new Uri(application.Urls.Single()).Port };
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    internal sealed class Service(Func<Envoy.CheckRequest, ServerCallContext, Task<Envoy.CheckResponse>> answer) : Envoy.Authorization.AuthorizationBase
    {
        public ConcurrentQueue<Envoy.CheckRequest> Requests { get; } = new();

        public ConcurrentQueue<string> Authorities { get; } = new();

        public override Task<Envoy.CheckResponse> Check(Envoy.CheckRequest request, ServerCallContext context)
        {
            Requests.Enqueue(request);
            Authorities.Enqueue(context.Host);
            return answer(request, context);
        }
    }
}
