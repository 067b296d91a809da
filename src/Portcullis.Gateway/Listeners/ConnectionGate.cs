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
using Portcullis.Gateway.Telemetry.AccessLogs;
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

    /// <summary>Hears what the server refuses by itself.</summary>
    public RefusedRequests Refused { get; } = new(snapshots, time);

    /// <summary>Middleware of the bound endpoint; <paramref name="http1"/> serves HTTP/1.</summary>
    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        using var counted = connections.Open();
        if (!snapshots.Current.Mesh.ProxyProtocol || await TakeProxyHeaderAsync(connection))
        {
            await ServeAsync(connection, http1);
        }
    }

    /// <summary>
    /// Not asynchronous itself, as all that hold the configuration beyond their first wait: else a connection that is open for days would keep the one
    /// that it was opened under.
    /// </summary>
    private Task ServeAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        var snapshot = snapshots.Current;
        var listener = snapshot.FindListener(key);
        return listener?.Protocol switch
        {
            ListenerProtocol.Tls => ServeTlsAsync(connection, http1),
            ListenerProtocol.Tcp => tcp.RunAsync(connection, connection.Features.Get<DownstreamConnection>(), listener.Tcp, snapshot),
            _ => ServeHttpAsync(connection, http1),
        };
    }

    private async Task ServeHttpAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        switch (await IsHttp2Async(connection))
        {
            case true:
                await Http2.ServeAsync(connection);
                break;
            case false:
                await ServeHttp1Async(connection, http1);
                break;
        }
    }

    private async Task ServeTlsAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        if (await PeekAsync(connection, ClientHelloReader.PeekAsync) is { } hello)
        {
            await ServeTlsAsync(connection, hello, http1);
        }
        else
        {
            Refuse(connection, "not_tls");
            if (ClientHelloReader.SaysSomethingElse(connection.Transport.Input))
            {
                LogNoChain(connection, downstream: null, snapshots.Current);
            }
        }
    }

    private Task ServeTlsAsync(ConnectionContext connection, in ClientHello hello, ConnectionDelegate http1)
    {
        var snapshot = snapshots.Current;
        if (snapshot.FindListener(key)?.FindChain(hello.ServerName) is not { } chain)
        {
            Refuse(connection, "filter_chain_not_found");
            LogNoChain(connection, new DownstreamConnection { Hello = hello }, snapshot);
            return Task.CompletedTask;
        }

        var downstream = connection.Features.Get<DownstreamConnection>() ?? new();
        (downstream.Hello, downstream.Origin) = (hello, chain.Server);
        if (chain.Treatment == TlsTreatment.PassThrough)
        {
            return tcp.RunAsync(connection, downstream, chain.Tcp, snapshot);
        }

        if (snapshot.Tls.Find(chain) is not { } server)
        {
            Refuse(connection, "no_certificate");
            return Task.CompletedTask;
        }

        downstream.Server = server;
        connection.Features.Set(downstream);
        ConnectionDelegate inside = chain.Treatment == TlsTreatment.TerminateTcp
            ? new InsideTls(tcp, downstream, chain.Tcp, snapshot).RunAsync
            : inner => ServeSecuredAsync(inner, http1);
        return TerminateAsync(connection, downstream, inside);
    }

    private async Task TerminateAsync(ConnectionContext connection, DownstreamConnection downstream, ConnectionDelegate inside)
    {
        await TlsTermination.ServeAsync(connection, inside, time);
        if (!downstream.IsSecured)
        {
            Refuse(connection, downstream.IsClientRefused ? "client_certificate" : "handshake");
        }
    }

    private Task ServeSecuredAsync(ConnectionContext connection, ConnectionDelegate http1)
    {
        var protocol = connection.Features.GetRequiredFeature<ITlsApplicationProtocolFeature>().ApplicationProtocol.Span;
        return protocol.SequenceEqual("h2"u8) ? Http2.ServeAsync(connection) : ServeHttp1Async(connection, http1);
    }

    private Task ServeHttp1Async(ConnectionContext connection, ConnectionDelegate http1) =>
        snapshots.Current.AccessLog is null ? http1(connection) : Refused.ServeAsync(connection, http1);

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

    private void LogNoChain(ConnectionContext connection, DownstreamConnection? downstream, GatewaySnapshot snapshot)
    {
        if (snapshot.AccessLog is { } log)
        {
            var entry = new ConnectionEntry(log, connection, downstream ?? connection.Features.Get<DownstreamConnection>(), time);
            entry.FindNoChain();
            entry.Write();
        }
    }

    private void Refuse(ConnectionContext connection, string reason)
    {
        metrics.Refused(reason);
        LogRefused(logger, connection.RemoteEndPoint, key, reason);
    }

    /// <summary>TCP behind TLS, on the configuration that the handshake began with. Runs once, and lets go of that.</summary>
    private sealed class InsideTls(TcpProxy tcp, DownstreamConnection downstream, TcpForwardAction? action, GatewaySnapshot snapshot)
    {
        private (TcpForwardAction? Action, GatewaySnapshot Snapshot) _target = (action, snapshot);

        public Task RunAsync(ConnectionContext connection)
        {
            var (action, snapshot) = _target;
            _target = default;
            return tcp.RunAsync(connection, downstream, action, snapshot);
        }
    }

    [LoggerMessage(EventId = 1110, Level = LogLevel.Debug, Message = "connection from {Peer} to {Listener} closed: {Reason}")]
    private static partial void LogRefused(ILogger logger, EndPoint? peer, ListenerKey listener, string reason);
}
