using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Telemetry.Metrics;
using Portcullis.Routing;

namespace Portcullis.Gateway.Listeners;

/// <summary>Forwards a connection as it is: TCP servers, TLS passed through, and TLS terminated in front of TCP (routing.md §2.16).</summary>
internal sealed partial class TcpProxy(ConnectionMetrics metrics, TimeProvider time, ILogger logger)
{
    /// <summary>Serves the connection to its end.</summary>
    /// <param name="connection">What the client sends and gets: after TLS where that was terminated.</param>
    /// <param name="downstream">Who the client is.</param>
    /// <param name="action"><see langword="null"/>: no rule takes the connection, and it is closed.</param>
    /// <param name="snapshot">The configuration in force when it came; it stays on it.</param>
    public async Task RunAsync(ConnectionContext connection, DownstreamConnection? downstream, TcpForwardAction? action, GatewaySnapshot snapshot)
    {
        if (!IsAllowed(connection, downstream, snapshot))
        {
            return;
        }

        if (action?.Pick(unchecked((uint)Random.Shared.Next(int.MinValue, int.MaxValue))).Cluster is not { } cluster || !DataPlaneLimits.CanForwardTcp(cluster))
        {
            metrics.TcpRefused(null, "NR");
            return;
        }

        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (await ConnectAsync(connection, socket, cluster, snapshot) is not { } endpoint)
        {
            return;
        }

        endpoint.Begin();
        var splice = new TcpSplice(connection, socket, cluster.Policy.ConnectionPool.IdleTimeout, time);
        metrics.TcpOpened(cluster);
        try
        {
            await splice.RunAsync();
        }
        finally
        {
            endpoint.End();
            metrics.TcpClosed(cluster, splice.Received, splice.Sent);
        }
    }

    /// <summary>Denied connections are closed. CUSTOM policies have nobody to ask here, and deny.</summary>
    private bool IsAllowed(ConnectionContext connection, DownstreamConnection? downstream, GatewaySnapshot snapshot)
    {
        var view = new TcpConnectionView(connection.RemoteEndPoint as IPEndPoint, connection.LocalEndPoint as IPEndPoint, downstream);
        var authorizer = snapshot.TcpAuthorizer;
        var policy = authorizer.EvaluateCustom(in view)?.PolicyId;
        if (policy is null)
        {
            var decision = authorizer.Evaluate(in view);
            if (decision.IsAllowed)
            {
                return true;
            }

            policy = decision.PolicyId ?? "none";
        }

        metrics.TcpDenied(policy);
        LogDenied(logger, connection.RemoteEndPoint, policy);
        return false;
    }

    private async ValueTask<UpstreamEndpoint?> ConnectAsync(ConnectionContext connection, Socket socket, Cluster cluster, GatewaySnapshot snapshot)
    {
        using var timeout = new CancellationTokenSource(cluster.Policy.ConnectionPool.ConnectTimeout, time);
        UpstreamEndpoint? endpoint = null;
        try
        {
            endpoint = (await snapshot.Upstreams.ResolveAsync(cluster, timeout.Token)).Pick();
            if (endpoint is null)
            {
                metrics.TcpRefused(cluster, "UH");
                return null;
            }

            await socket.ConnectAsync(IPEndPoint.Parse(endpoint.Address), timeout.Token);
            return endpoint;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            metrics.TcpRefused(cluster, "UF");
            LogNotConnected(logger, connection.RemoteEndPoint, endpoint?.Address ?? cluster.Name, e.Message);
            return null;
        }
    }

    [LoggerMessage(EventId = 1120, Level = LogLevel.Debug, Message = "connection from {Peer} closed: denied by {Policy}")]
    private static partial void LogDenied(ILogger logger, EndPoint? peer, string policy);

    [LoggerMessage(EventId = 1121, Level = LogLevel.Debug, Message = "connection from {Peer} closed: {Backend} cannot be connected to: {Reason}")]
    private static partial void LogNotConnected(ILogger logger, EndPoint? peer, string backend, string reason);
}
