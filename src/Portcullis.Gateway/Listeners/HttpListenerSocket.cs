using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// One bound port with its own Kestrel server, so that a port can come and go without touching the connections of another.
/// </summary>
public sealed class HttpListenerSocket : IAsyncDisposable
{
    /// <summary>Envoy's limit for all request headers together: 60 KiB.</summary>
    public const int MaxRequestHeadersSize = 60 * 1024;

    /// <summary>Envoy's limit for the number of request headers.</summary>
    public const int MaxRequestHeaderCount = 100;

    private readonly KestrelServer _server;

    private HttpListenerSocket(KestrelServer server, int port) => (_server, Port) = (server, port);

    /// <summary>The port really bound; differs from the asked one only when that was 0.</summary>
    public int Port { get; }

    /// <summary>Binds and starts to accept.</summary>
    /// <exception cref="IOException">The address is in use or may not be bound.</exception>
    public static async Task<HttpListenerSocket> StartAsync<TContext>(
        ListenerKey key,
        IHttpApplication<TContext> application,
        IServiceProvider services,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
        where TContext : notnull
    {
        var options = new KestrelServerOptions { ApplicationServices = services };
        Configure(options);
        if (key.Address is null)
        {
            options.ListenAnyIP(key.Port, o => o.Protocols = HttpProtocols.Http1);
        }
        else
        {
            options.Listen(new IPEndPoint(key.Address, key.Port), o => o.Protocols = HttpProtocols.Http1);
        }

        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers);
        var server = new KestrelServer(Options.Create(options), transport, loggers);
        try
        {
            await server.StartAsync(application, cancellationToken);
        }
        catch
        {
            server.Dispose();
            throw;
        }

        var address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return new HttpListenerSocket(server, BindingAddress.Parse(address).Port);
    }

    /// <summary>Stops accepting, lets requests in flight finish, and cuts what is left when the token is cancelled.</summary>
    public Task StopAsync(CancellationToken abort) => _server.StopAsync(abort);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void Configure(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        // An absolute-form target's authority replaces the Host header, as in Envoy (routing.md §6.6).
        options.AllowHostHeaderOverride = true;
        options.ResponseHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1;
        var limits = options.Limits;
        limits.MaxRequestHeadersTotalSize = MaxRequestHeadersSize;
        limits.MaxRequestHeaderCount = MaxRequestHeaderCount;
        limits.MaxRequestLineSize = MaxRequestHeadersSize;
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.KeepAliveTimeout = TimeSpan.FromHours(1);
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(60);
    }
}
