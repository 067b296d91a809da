using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Limits;
using Portcullis.Gateway.Listeners.ProxyProtocol;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Routing;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// What a connection of a listener passes before its first request: the PROXY header where the mesh asks for one, then what the listener speaks.
/// Each connection is judged by the snapshot in force when it came, so that a port may change its protocol without a new socket.
/// </summary>
internal sealed partial class ConnectionGate(
    ListenerKey key,
    SnapshotHolder<GatewaySnapshot> snapshots,
    TcpProxy tcp,
    ConnectionMetrics metrics,
    ListenerConnections connections,
    GatewayLimits limits,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>Where HTTP/2 is served, in clear and behind TLS.</summary>
    public InnerEndPoint Http2 { get; } = new("h2");

    /// <summary>Middleware of the bound endpoint; <paramref name="http1"/> serves HTTP/1.</summary>
    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        using var counted = connections.Open();
        var snapshot = snapshots.Current;
        if (snapshot.Mesh.ProxyProtocol && !await TakeProxyHeaderAsync(connection))
        {
            return;
        }

        var listener = snapshot.FindListener(key);
        switch (listener?.Protocol)
        {
            case ListenerProtocol.Tls:
                await ServeTlsAsync(connection, listener, snapshot, http1);
                break;
            case ListenerProtocol.Tcp:
                await tcp.RunAsync(connection, connection.Features.Get<DownstreamConnection>(), listener.Tcp, snapshot);
                break;
            default:
                await ServeHttpAsync(connection, http1);
                break;
        }
    }

    private async Task ServeHttpAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
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

    private async Task ServeTlsAsync(ConnectionContext connection, CompiledListener listener, GatewaySnapshot snapshot, ConnectionDelegate http1)
    {
        if (await PeekAsync(connection, ClientHelloReader.PeekAsync) is not { } hello)
        {
            Refuse(connection, "not_tls");
            return;
        }

        if (listener.FindChain(hello.ServerName) is not { } chain)
        {
            Refuse(connection, "filter_chain_not_found");
            return;
        }

        var downstream = connection.Features.Get<DownstreamConnection>() ?? new();
        (downstream.Hello, downstream.Chain) = (hello, chain);
        if (chain.Treatment == TlsTreatment.PassThrough)
        {
            await tcp.RunAsync(connection, downstream, chain.Tcp, snapshot);
            return;
        }

        if (snapshot.Tls.Find(chain) is not { } server)
        {
            Refuse(connection, "no_certificate");
            return;
        }

        downstream.Server = server;
        connection.Features.Set(downstream);
        await TlsTermination.ServeAsync(connection, inside => ServeSecuredAsync(inside, downstream, snapshot, http1), time);
        if (!downstream.IsSecured)
        {
            Refuse(connection, downstream.IsClientRefused ? "client_certificate" : "handshake");
        }
    }

    private Task ServeSecuredAsync(ConnectionContext connection, DownstreamConnection downstream, GatewaySnapshot snapshot, ConnectionDelegate http1)
    {
        if (downstream.Chain!.Treatment == TlsTreatment.TerminateTcp)
        {
            return tcp.RunAsync(connection, downstream, downstream.Chain.Tcp, snapshot);
        }

        var protocol = connection.Features.GetRequiredFeature<ITlsApplicationProtocolFeature>().ApplicationProtocol.Span;
        return protocol.SequenceEqual("h2"u8) ? Http2.ServeAsync(connection) : http1(connection);
    }

    /// <summary>Reads the header and replaces the connection's addresses, as Envoy's filter does; the real peer is kept aside.</summary>
    /// <returns>Whether the connection may go on: not without the header, for then anybody could claim to be the load balancer.</returns>
    private async ValueTask<bool> TakeProxyHeaderAsync(ConnectionContext connection)
    {
        if (await PeekAsync(connection, ProxyHeaderReader.ReadAsync) is not { } header)
        {
            Refuse(connection, "proxy_protocol");
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

    /// <summary>Reads what comes first, in the time that Envoy gives its listener filters.</summary>
    private async ValueTask<T?> PeekAsync<T>(ConnectionContext connection, Func<System.IO.Pipelines.PipeReader, CancellationToken, ValueTask<T?>> read)
        where T : struct
    {
        try
        {
            using var timeout = new CancellationTokenSource(ListenerTimeouts.Filters, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, Closing(connection));
            return await read(connection.Transport.Input, either.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return null;
        }
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

    private void Refuse(ConnectionContext connection, string reason)
    {
        metrics.Refused(reason);
        LogRefused(logger, connection.RemoteEndPoint, key, reason);
    }

    [LoggerMessage(EventId = 1110, Level = LogLevel.Debug, Message = "connection from {Peer} to {Listener} closed: {Reason}")]
    private static partial void LogRefused(ILogger logger, EndPoint? peer, ListenerKey listener, string reason);
}
