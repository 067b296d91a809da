using System.Net;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Portcullis.HttpBin;

/// <summary>
/// A running test backend that answers as httpbin does: what it received as JSON, and any status, delay, redirect, cookie or encoding on request.
/// HTTP/1.1 without TLS, on bare Kestrel (no host, no logging), so that it starts in milliseconds.
/// </summary>
public sealed class HttpBinServer : IAsyncDisposable
{
    private readonly KestrelServer _server;
    private readonly ServiceProvider _services;
    private int _disposed;

    private HttpBinServer(KestrelServer server, ServiceProvider services, IPEndPoint endPoint)
    {
        _server = server;
        _services = services;
        EndPoint = endPoint;
    }

    /// <summary>Where it listens: the address asked for, with the port really bound.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary><c>http://address:port/</c> for clients on this machine.</summary>
    public Uri BaseAddress => new($"http://{EndPoint}/");

    /// <summary>Binds and serves.</summary>
    /// <param name="endPoint">Address and port; port 0 takes a free one.</param>
    /// <param name="timeProvider">The clock of <c>/delay</c>; <see langword="null"/> is the system's.</param>
    /// <param name="cancellationToken">Gives up the start; later cancellation has no effect.</param>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<HttpBinServer> StartAsync(
        IPEndPoint endPoint, TimeProvider? timeProvider = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);

        var services = new ServiceCollection().BuildServiceProvider();
        var options = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        options.Listen(endPoint, listen => listen.Protocols = HttpProtocols.Http1);
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
        try
        {
            await server.StartAsync(new HttpBinApplication(timeProvider ?? TimeProvider.System), cancellationToken).ConfigureAwait(false);
            var address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
            return new(server, services, new IPEndPoint(endPoint.Address, BindingPort(address)));
        }
        catch
        {
            server.Dispose();
            await services.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops accepting, lets requests in flight finish until the token is cancelled, then closes what is left.</summary>
    /// <param name="cancellationToken">Ends the wait for requests in flight.</param>
    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(cancellationToken);

    /// <summary>Stops at once: requests in flight are aborted.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _server.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        _server.Dispose();
        await _services.DisposeAsync().ConfigureAwait(false);
    }

    private static int BindingPort(string address) =>
        int.Parse(address.AsSpan(address.LastIndexOf(':') + 1), System.Globalization.CultureInfo.InvariantCulture);
}
