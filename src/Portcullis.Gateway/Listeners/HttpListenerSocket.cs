using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Portcullis.Gateway.Limits;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// One bound port with its own Kestrel server, so that a port can come and go without touching the connections of another.
/// </summary>
public sealed class HttpListenerSocket : IAsyncDisposable
{
    private readonly KestrelServer _server;

    private readonly ListenerTransport _transport;

    private HttpListenerSocket(KestrelServer server, ListenerTransport transport, int port) => (_server, _transport, Port) = (server, transport, port);

    /// <summary>The port really bound; differs from the asked one only when that was 0.</summary>
    public int Port { get; }

    /// <summary>Binds and starts to accept.</summary>
    /// <param name="key">Where.</param>
    /// <param name="application">Answers requests.</param>
    /// <param name="services">For the server.</param>
    /// <param name="loggers">For the server.</param>
    /// <param name="settings">What clients may take, and who counts it.</param>
    /// <param name="gate">What connections pass first; <see langword="null"/>: plain HTTP/1.1 and nothing else.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The address is in use or may not be bound.</exception>
    internal static async Task<HttpListenerSocket> StartAsync<TContext>(
        ListenerKey key,
        IHttpApplication<TContext> application,
        IServiceProvider services,
        ILoggerFactory loggers,
        ListenerSettings settings,
        ConnectionGate? gate,
        CancellationToken cancellationToken)
        where TContext : notnull
    {
        var options = new KestrelServerOptions { ApplicationServices = services };
        Configure(options, settings.Limits);
        if (key.Address is null)
        {
            options.ListenAnyIP(key.Port, Bound);
        }
        else
        {
            options.Listen(new IPEndPoint(key.Address, key.Port), Bound);
        }

        if (gate is not null)
        {
            options.Listen(gate.Http2, static o => o.Protocols = HttpProtocols.Http2);
        }

        var transport = new ListenerTransport(settings.SharesPort, settings.RunsInline, TimeProvider.System, loggers);
        var server = new KestrelServer(Options.Create(options), transport, gate?.Refused.Listen(loggers) ?? loggers);
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
        return new HttpListenerSocket(server, transport, BindingAddress.Parse(address).Port);

        void Bound(ListenOptions endpoint)
        {
            endpoint.Protocols = HttpProtocols.Http1;
            if (settings.Load is { } load)
            {
                endpoint.Use(next => connection => load.ServeAsync(connection, next));
            }

            if (gate is not null)
            {
                endpoint.Use(next => connection => gate.OnConnectionAsync(connection, next));
            }
        }
    }

    /// <summary>Closes the socket without losing a connection that a client believes to have; open connections go on.</summary>
    /// <param name="handshakes">How long handshakes may take to end.</param>
    public Task StopAcceptingAsync(TimeSpan handshakes) => _transport.StopAcceptingAsync(handshakes);

    /// <summary>Stops accepting, lets requests in flight finish, and cuts what is left when the token is cancelled.</summary>
    public Task StopAsync(CancellationToken abort) => _server.StopAsync(abort);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void Configure(KestrelServerOptions options, GatewayLimits asked)
    {
        options.AddServerHeader = false;
        // An absolute-form target's authority replaces the Host header, as in Envoy (routing.md §6.6).
        options.AllowHostHeaderOverride = true;
        options.ResponseHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1;
        var limits = options.Limits;
        limits.MaxRequestHeadersTotalSize = asked.RequestHeadersBytes;
        limits.MaxRequestHeaderCount = asked.RequestHeaders;
        limits.MaxRequestLineSize = asked.RequestHeadersBytes;
        limits.MaxRequestBodySize = asked.RequestBodyBytes > 0 ? asked.RequestBodyBytes : null;
        limits.MinRequestBodyDataRate = Rate(asked.RequestBodyMinRate, asked.StallTimeout);
        limits.MinResponseDataRate = Rate(asked.ResponseMinRate, asked.StallTimeout);
        limits.KeepAliveTimeout = asked.IdleTimeout;
        limits.RequestHeadersTimeout = asked.RequestHeadersTimeout;
        limits.Http2.MaxStreamsPerConnection = asked.StreamsPerConnection;
        limits.Http2.MaxRequestHeaderFieldSize = asked.RequestHeadersBytes;
    }

    private static MinDataRate? Rate(int bytesPerSecond, TimeSpan grace) => bytesPerSecond > 0 ? new(bytesPerSecond, grace) : null;
}
