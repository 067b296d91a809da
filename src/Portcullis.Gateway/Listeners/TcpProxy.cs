using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Telemetry.AccessLogs;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Policy.Authorization;
using Portcullis.Routing;

namespace Portcullis.Gateway.Listeners;

/// <summary>Forwards a connection as it is: TCP servers, TLS passed through, and TLS terminated in front of TCP (routing.md §2.16).</summary>
internal sealed partial class TcpProxy(ConnectionMetrics metrics, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// Serves the connection to its end. Not asynchronous itself: only what comes before the bytes needs the configuration, and the connection may
    /// outlive it by days.
    /// </summary>
    /// <param name="connection">What the client sends and gets: after TLS where that was terminated.</param>
    /// <param name="downstream">Who the client is.</param>
    /// <param name="action"><see langword="null"/>: no rule takes the connection, and it is closed.</param>
    /// <param name="snapshot">The configuration in force when it came.</param>
    public Task RunAsync(ConnectionContext connection, DownstreamConnection? downstream, TcpForwardAction? action, GatewaySnapshot snapshot)
    {
        var entry = snapshot.AccessLog is { } log ? new ConnectionEntry(log, connection, downstream, time) : null;
        if (!IsAllowed(connection, downstream, snapshot, entry))
        {
            entry?.Write();
            return Task.CompletedTask;
        }

        if (action is null)
        {
            return Refuse("NR", null, null, entry);
        }

        if (action.Pick().Cluster is not { } cluster)
        {
            return Refuse("NC", null, null, entry);
        }

        return ForwardAsync(connection, cluster, ConnectAsync(connection, cluster, snapshot.Upstreams, entry), entry);
    }

    private Task Refuse(string flags, Cluster? cluster, string? reason, ConnectionEntry? entry)
    {
        metrics.TcpRefused(cluster, flags);
        entry?.Fail(flags, cluster, null, reason);
        entry?.Write();
        return Task.CompletedTask;
    }

    private async Task ForwardAsync(ConnectionContext connection, Cluster cluster, Task<Backend?> connecting, ConnectionEntry? entry)
    {
        if (await connecting is not { } backend)
        {
            return;
        }

        using var socket = backend.Socket;
        await using var secured = backend.Secured;
        entry?.Connect(cluster, backend.Endpoint, socket.LocalEndPoint);
        backend.Endpoint.Begin();
        var splice = new TcpSplice(connection, socket, secured, cluster.Policy.ConnectionPool.TcpIdleTimeout, time);
        metrics.TcpOpened(cluster);
        try
        {
            await splice.RunAsync();
        }
        finally
        {
            backend.Endpoint.End();
            backend.Breaker.ConnectionClosed();
            metrics.TcpClosed(cluster, splice.Received, splice.Sent);
            entry?.Write(splice.Received, splice.Sent);
        }
    }

    /// <summary>Denied connections are closed. CUSTOM policies have nobody to ask here, and deny.</summary>
    private bool IsAllowed(ConnectionContext connection, DownstreamConnection? downstream, GatewaySnapshot snapshot, ConnectionEntry? entry)
    {
        var view = new TcpConnectionView(connection.RemoteEndPoint as IPEndPoint, connection.LocalEndPoint as IPEndPoint, downstream);
        var authorizer = snapshot.TcpAuthorizer;
        var decision = authorizer.EvaluateCustom(in view) is { } custom ? new Decision(DecisionOutcome.Forbidden, custom.PolicyId) : authorizer.Evaluate(in view);
        if (decision.IsAllowed)
        {
            return true;
        }

        var policy = decision.PolicyId ?? "none";
        metrics.TcpDenied(policy);
        entry?.Deny(in decision);
        LogDenied(logger, connection.RemoteEndPoint, policy);
        return false;
    }

    /// <summary>Connects, with TLS where the cluster asks for it, or says why not.</summary>
    private async Task<Backend?> ConnectAsync(ConnectionContext connection, Cluster cluster, UpstreamTable upstreams, ConnectionEntry? entry)
    {
        using var timeout = new CancellationTokenSource(cluster.Policy.ConnectionPool.ConnectTimeout, time);
        UpstreamEndpoint? endpoint = null;
        CircuitBreaker? breaker = null;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            var upstream = await upstreams.ResolveAsync(cluster, timeout.Token);
            endpoint = upstream.Pick();
            if (endpoint is null)
            {
                socket.Dispose();
                await Refuse("UH", cluster, null, entry);
                return null;
            }

            breaker = upstream.State.Breaker;
            breaker.ConnectionOpened();
            if (breaker.OpenConnections > upstream.Profile.Limits.MaxConnections)
            {
                breaker.ConnectionClosed();
                socket.Dispose();
                await Refuse("UO", cluster, null, entry);
                return null;
            }

            UpstreamConnector.KeepAlive(socket, upstream.Profile.Limits);
            await socket.ConnectAsync(IPEndPoint.Parse(endpoint.Address), timeout.Token);
            return new Backend(socket, endpoint, breaker, upstream.Profile.Tls is { } tls ? await tls.AuthenticateTcpAsync(new NetworkStream(socket), timeout.Token) : null);
        }
        catch (Exception e)
        {
            breaker?.ConnectionClosed();
            socket.Dispose();
            if (e is not (SocketException or OperationCanceledException or UpstreamTlsException))
            {
                throw;
            }

            var reason = e switch
            {
                SocketException => $"delayed connect error: {e.Message}",
                UpstreamTlsException => e.Message,
                _ => "connection timeout",
            };
            metrics.TcpRefused(cluster, "UF");
            entry?.Fail("UF,URX", cluster, endpoint, reason); // one try is all there is, as in Envoy
            entry?.Write();
            LogNotConnected(logger, connection.RemoteEndPoint, endpoint?.Address ?? cluster.Name, reason);
            return null;
        }
    }

    private sealed record Backend(Socket Socket, UpstreamEndpoint Endpoint, CircuitBreaker Breaker, SslStream? Secured);

    [LoggerMessage(EventId = 1120, Level = LogLevel.Debug, Message = "connection from {Peer} closed: denied by {Policy}")]
    private static partial void LogDenied(ILogger logger, EndPoint? peer, string policy);

    [LoggerMessage(EventId = 1121, Level = LogLevel.Debug, Message = "connection from {Peer} closed: {Backend} cannot be connected to: {Reason}")]
    private static partial void LogNotConnected(ILogger logger, EndPoint? peer, string backend, string reason);
}
