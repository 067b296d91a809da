using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary>A request as a server got it.</summary>
internal sealed record RecordedRequest(string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>The lines of a header.</summary>
    public IEnumerable<string> Lines(string name) => Headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value);

    /// <summary>The only line of a header; <see langword="null"/> when it is absent.</summary>
    public string? Header(string name) => Lines(name).SingleOrDefault();
}

/// <summary>An ASP.NET Core server on a real socket that keeps what it got: an HTTP authorizer, or a backend that reads bodies.</summary>
internal sealed class RecordingServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();

    private RecordingServer(WebApplication application) => _application = application;

    public int Port { get; private set; }

    public IReadOnlyCollection<RecordedRequest> Requests => _requests;

    /// <summary>The only request so far.</summary>
    public RecordedRequest Request => Assert.Single(_requests);

    /// <summary>Starts a server that answers with a status.</summary>
    public static Task<RecordingServer> StartAsync(int status, params (string Name, string Value)[] headers) => StartAsync((http, _) =>
    {
        http.Response.StatusCode = status;
        foreach (var (name, value) in headers)
        {
            http.Response.Headers.Append(name, value);
        }

        return Task.CompletedTask;
    });

    /// <summary>Starts a server.</summary>
    /// <param name="answer">Answers, when the whole request is here.</param>
    /// <param name="port">0: the system's choice.</param>
    public static async Task<RecordingServer> StartAsync(Func<HttpContext, RecordedRequest, Task> answer, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(o =>
        {
            o.AddServerHeader = false;
            o.ResponseHeaderEncodingSelector = static _ => Encoding.UTF8;
            o.Listen(IPAddress.Loopback, port, l => l.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        var server = new RecordingServer(application);
        application.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            var request = new RecordedRequest(
                http.Request.Method,
                http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
                [.. http.Request.Headers.SelectMany(h => h.Value.Select(v => KeyValuePair.Create(h.Key, v ?? "")))],
                body.ToArray());
            server._requests.Enqueue(request);
            await answer(http, request);
        });
        await application.StartAsync();
        server.Port = new Uri(application.Urls.Single()).Port;
        return server;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
