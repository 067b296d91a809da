using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portcullis.Jose;

namespace Portcullis.Gateway.Tests.Jwks;

/// <summary>A key server on a real socket whose every answer the test decides.</summary>
internal sealed class KeyServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, IHeaderDictionary Headers)> _requests = new();
    private readonly ConcurrentDictionary<TaskCompletionSource, int> _waits = new();

    private KeyServer(X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        _app = builder.Build();
        _app.Run(context =>
        {
            _requests.Enqueue((context.Request.Path.Value!, new HeaderDictionary(context.Request.Headers.ToDictionary(h => h.Key, h => h.Value))));
            foreach (var (wait, count) in _waits)
            {
                if (_requests.Count >= count)
                {
                    wait.TrySetResult();
                }
            }

            return Answer(context);
        });
    }

    /// <summary>Scheme, host and port, without a slash at the end.</summary>
    public string Origin { get; private set; } = "";

    public int Port => new Uri(Origin).Port;

    public string KeysUrl => Origin + "/keys";

    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyCollection<(string Path, IHeaderDictionary Headers)> Requests => _requests;

    public static async Task<KeyServer> StartAsync(X509Certificate2? certificate = null)
    {
        var server = new KeyServer(certificate);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        var address = new Uri(server._app.Urls.Single());
        server.Origin = $"{(certificate is null ? "http" : "https")}://{(certificate is null ? "127.0.0.1" : "localhost")}:{address.Port}";
        return server;
    }

    public static async Task<KeyServer> StartAsync(params JsonWebKey[] keys)
    {
        var server = await StartAsync();
        server.Serve(Set(keys));
        return server;
    }

    public static string Set(params IEnumerable<JsonWebKey> keys) => $$"""{"keys":[{{string.Join(',', keys.Select(k => k.ToJson()))}}]}""";

    /// <summary>Waits until it has been asked a number of times.</summary>
    public async Task WaitForRequestsAsync(int count)
    {
        var wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waits[wait] = count;
        if (_requests.Count < count)
        {
            await wait.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }

        _waits.TryRemove(wait, out _);
    }

    /// <summary>Answers every request with one body.</summary>
    public void Serve(string body, int status = 200) => Answer = context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body, context.RequestAborted);
    };

    /// <summary>Answers by path; others are 404.</summary>
    public void Serve(params (string Path, Func<HttpContext, Task> Answer)[] paths) => Answer = context =>
    {
        foreach (var (path, answer) in paths)
        {
            if (context.Request.Path == path)
            {
                return answer(context);
            }
        }

        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    };

    public static Func<HttpContext, Task> Redirect(string target, int status = 302) => context =>
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = target;
        return Task.CompletedTask;
    };

    public static Func<HttpContext, Task> Text(string body) => context => context.Response.WriteAsync(body, context.RequestAborted);

    /// <summary>Never answers; ends when the client goes away.</summary>
    public static async Task Hang(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }
}
