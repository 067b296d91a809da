using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Listeners;

namespace Portcullis.Gateway.Admin;

/// <summary>Binds the ports beside the gateway's own: status, statistics, admin.</summary>
internal sealed partial class ControlPorts(IServiceProvider services, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger("Portcullis.Admin");
    private readonly List<HttpListenerSocket> _sockets = [];

    /// <summary>Binds one port.</summary>
    /// <returns>The port really bound; <see langword="null"/> when it was only a default and is taken.</returns>
    /// <exception cref="IOException">The operator asked for the port and it cannot be bound.</exception>
    public async Task<int?> BindAsync(string purpose, ControlEndpoint? endpoint, RequestDelegate handle, CancellationToken cancellationToken)
    {
        if (endpoint is null)
        {
            return null;
        }

        var application = new DelegateApplication(handle, services, _logger);
        try
        {
            var key = new ListenerKey(endpoint.EndPoint.Address, endpoint.EndPoint.Port);
            var socket = await HttpListenerSocket.StartAsync(key, application, services, loggers, ListenerSettings.Control, gate: null, cancellationToken);
            _sockets.Add(socket);
            return socket.Port;
        }
        catch (Exception e) when (endpoint.IsDefault && e is IOException or System.Net.Sockets.SocketException)
        {
            LogNotBound(_logger, purpose, endpoint.EndPoint.ToString(), e.Message);
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        foreach (var socket in _sockets)
        {
            await socket.StopAsync(now.Token);
            await socket.DisposeAsync();
        }
    }

    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "the {Purpose} port {EndPoint} cannot be bound and is off: {Reason}")]
    private static partial void LogNotBound(ILogger logger, string purpose, string endPoint, string reason);
}
