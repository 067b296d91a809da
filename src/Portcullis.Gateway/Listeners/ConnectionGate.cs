using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Limits;
using Portcullis.Gateway.Listeners.ProxyProtocol;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.Metrics;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// What a connection of a listener passes before its first request: the PROXY header where the mesh asks for one, then the choice of HTTP version.
/// Each connection is judged by the snapshot in force when it came.
/// </summary>
internal sealed partial class ConnectionGate(
    SnapshotHolder<GatewaySnapshot> snapshots, ListenerConnections connections, GatewayLimits limits, TimeProvider time, ILogger logger)
{
    /// <summary>Where HTTP/2 in clear is served.</summary>
    public InnerEndPoint Http2 { get; } = new("h2c");

    /// <summary>Middleware of the bound endpoint; <paramref name="http1"/> serves HTTP/1.</summary>
    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        using var counted = connections.Open();
        var snapshot = snapshots.Current;
        if (snapshot.Mesh.ProxyProtocol && !await TakeProxyHeaderAsync(connection))
        {
            return;
        }

        switch (await IsHttp2Async(connection))
        {
            case true:
                await Http2.ServeAsync(connection);
                break;
            case false:
                await http1(connection);
                break;
        }
    }

    /// <summary>Reads the header and replaces the connection's addresses, as Envoy's filter does; the real peer is kept aside.</summary>
    /// <returns>Whether the connection may go on: not without the header, for then anybody could claim to be the load balancer.</returns>
    private async ValueTask<bool> TakeProxyHeaderAsync(ConnectionContext connection)
    {
        ProxyHeader? read;
        try
        {
            using var timeout = new CancellationTokenSource(ListenerTimeouts.Filters, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, Closing(connection));
            read = await ProxyHeaderReader.ReadAsync(connection.Transport.Input, either.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            read = null;
        }

        if (read is not { } header)
        {
            LogNoProxyHeader(logger, connection.RemoteEndPoint);
            return false;
        }

        connection.Features.Set(new DownstreamConnection { DirectPeer = connection.RemoteEndPoint as IPEndPoint });
        if (header is { Source: { } source, Destination: { } destination })
        {
            connection.RemoteEndPoint = new IPEndPoint(ClientAddress.Unmap(source.Address)!, source.Port);
            connection.LocalEndPoint = new IPEndPoint(ClientAddress.Unmap(destination.Address)!, destination.Port);
        }

        return true;
    }

    private async ValueTask<bool?> IsHttp2Async(ConnectionContext connection)
    {
        try
        {
            using var timeout = new CancellationTokenSource(limits.IdleTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, Closing(connection));
            return await HttpVersionProbe.IsHttp2Async(connection.Transport.Input, () => timeout.CancelAfter(limits.RequestHeadersTimeout), either.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private static CancellationToken Closing(ConnectionContext connection) =>
        connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;

    [LoggerMessage(EventId = 1110, Level = LogLevel.Debug, Message = "connection from {Peer} closed: it does not begin with a PROXY protocol header")]
    private static partial void LogNoProxyHeader(ILogger logger, EndPoint? peer);
}
