using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// Makes gRPC of the grpc-web calls of a <c>GRPC-WEB</c> server, and grpc-web of the answers (routing.md §1.3): behind authorization, which sees what the client
/// sent, and in front of everything else. The translation is that of ASP.NET Core's gRPC.
/// </summary>
internal sealed class GrpcWebStage
{
    private static readonly object Key = new();

    private readonly RouteExecutor _routes;
    private readonly RequestDelegate _translated;

    /// <param name="routes">What comes after.</param>
    /// <param name="services">Of logging.</param>
    public GrpcWebStage(RouteExecutor routes, IServiceProvider services)
    {
        _routes = routes;
        var application = new ApplicationBuilder(services);
        application.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
        application.Run(ContinueAsync);
        _translated = application.Build();
    }

    /// <summary>Goes on, with a translation where one is asked for.</summary>
    public Task InvokeAsync(GatewayContext context)
    {
        if (context.Listener is not { TranslatesGrpcWeb: true } || !IsCall(context.Http.Request))
        {
            return _routes.InvokeAsync(context);
        }

        var request = context.Http.Request;
        var headers = request.Headers;
        if (IsText(request.ContentType))
        {
            // The library would decode its pipe; forwarders read the stream.
            request.Body = new CryptoStream(request.Body, new FromBase64Transform(), CryptoStreamMode.Read, leaveOpen: true);
        }

        // Text is shorter once it is decoded; the message says its length itself.
        headers.ContentLength = null;
        headers.TE = "trailers";
        headers["grpc-accept-encoding"] = "identity,deflate,gzip";
        var body = context.Http.Features.GetRequiredFeature<IHttpResponseBodyFeature>().Stream;
        context.Http.Items[Key] = new Call(context, IsText(headers.Accept) ? new Base64Stream(body) : body);
        return _translated(context.Http);
    }

    private static bool IsCall(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && request.ContentType?.StartsWith("application/grpc-web", StringComparison.OrdinalIgnoreCase) == true;

    private static bool IsText(string? type) => type?.StartsWith("application/grpc-web-text", StringComparison.OrdinalIgnoreCase) == true;

    private Task ContinueAsync(HttpContext http)
    {
        // The library encodes what goes through its pipe; forwarders write to the stream.
        var call = (Call)http.Items[Key]!;
        http.Features.Set<IHttpResponseBodyFeature>(new BodyWithStream(http.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), call.Body));
        if (call.Body is Base64Stream)
        {
            // What a backend that does not speak gRPC says of its length is not true of the text.
            http.Response.OnStarting(static state => Task.FromResult(((HttpResponse)state).ContentLength = null), http.Response);
        }

        return _routes.InvokeAsync(call.Context);
    }

    private sealed record Call(GatewayContext Context, Stream Body);

    /// <summary>A response body with a stream of its own.</summary>
    private sealed class BodyWithStream(IHttpResponseBodyFeature inner, Stream stream) : IHttpResponseBodyFeature
    {
        public Stream Stream => stream;

        public PipeWriter Writer => inner.Writer;

        public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

        public Task CompleteAsync() => inner.CompleteAsync();

        public void DisableBuffering() => inner.DisableBuffering();

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException("the gateway sends no files");
    }
}
