using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Listeners;
using Portcullis.Gateway.Pipeline;
using Portcullis.Policy.Authorization;
using Portcullis.Routing;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>
/// A line of the access log for what is no request: a connection that is forwarded as it is, as Envoy's <c>tcp_proxy</c> writes it, or one that ended
/// before a request was complete. What only requests have is absent in it.
/// </summary>
internal sealed class ConnectionEntry
{
    private readonly AccessLogWriter _log;
    private readonly GatewayContext _context = new();

    /// <summary>The connection begins now.</summary>
    /// <param name="log">Where the line goes.</param>
    /// <param name="connection">With the addresses of a PROXY header, if there was one.</param>
    /// <param name="downstream">What else is known of the client.</param>
    /// <param name="time">The clock.</param>
    public ConnectionEntry(AccessLogWriter log, ConnectionContext connection, DownstreamConnection? downstream, TimeProvider time)
    {
        _log = log;
        _context.StartTime = time.GetUtcNow();
        _context.StartTimestamp = Stopwatch.GetTimestamp();
        _context.Downstream = downstream;
        _context.ConnectionBytes = (0, 0);
        var (client, local) = (connection.RemoteEndPoint as IPEndPoint, connection.LocalEndPoint as IPEndPoint);
        var http = _context.Http;
        http.Response.StatusCode = 0;
        (http.Connection.RemoteIpAddress, http.Connection.RemotePort) = (client?.Address, client?.Port ?? 0);
        (http.Connection.LocalIpAddress, http.Connection.LocalPort) = (local?.Address, local?.Port ?? 0);
        _context.RemoteAddress = _context.ConnectionAddress = ClientAddress.Unmap(client?.Address);
        var peer = downstream?.DirectPeer ?? client;
        (_context.PeerAddress, _context.PeerPort) = (ClientAddress.Unmap(peer?.Address), peer?.Port ?? 0);
        if (connection.Features.Get<ITlsConnectionFeature>() is { } tls)
        {
            http.Features.Set(tls);
            http.Features.Set(connection.Features.Get<ITlsHandshakeFeature>());
        }
    }

    /// <summary>An authorization policy closes it.</summary>
    public void Deny(in Decision decision)
    {
        _context.Decision = decision;
        _context.ConnectionTerminationDetails = $"rbac_access_denied_matched_policy[{decision.PolicyId ?? "none"}]";
    }

    /// <summary>It cannot be served.</summary>
    /// <param name="flags">Envoy's response flags.</param>
    /// <param name="cluster">Where it should have gone.</param>
    /// <param name="endpoint">The backend that was tried.</param>
    /// <param name="reason">What the backend's side said.</param>
    public void Fail(string flags, Cluster? cluster, UpstreamEndpoint? endpoint, string? reason)
    {
        (_context.Cluster, _context.Endpoint) = (cluster, endpoint);
        (_context.ResponseFlags, _context.UpstreamFailureReason) = (flags, reason);
    }

    /// <summary>No chain of the listener takes it.</summary>
    public void FindNoChain() => (_context.ResponseFlags, _context.ResponseDetails) = ("NR", "filter_chain_not_found");

    /// <summary>The server refused what should have become a request.</summary>
    /// <param name="status">The answer.</param>
    /// <param name="details">Envoy's words.</param>
    /// <param name="flags">Envoy's flags; <see langword="null"/> for none.</param>
    public void Refuse(int status, string details, string? flags)
    {
        _context.Http.Request.Protocol = "HTTP/1.1";
        _context.Http.Response.StatusCode = status;
        (_context.ResponseDetails, _context.ResponseFlags) = (details, flags);
    }

    /// <summary>It is connected with a backend.</summary>
    public void Connect(Cluster cluster, UpstreamEndpoint endpoint, EndPoint? local)
    {
        (_context.Cluster, _context.Endpoint) = (cluster, endpoint);
        _context.UpstreamLocalAddress = local is IPEndPoint { Address: var address, Port: var port } ? new IPEndPoint(ClientAddress.Unmap(address)!, port).ToString() : null;
    }

    /// <summary>It has ended.</summary>
    /// <param name="received">Bytes from the client.</param>
    /// <param name="sent">Bytes to the client.</param>
    public void Write(long received = 0, long sent = 0)
    {
        _context.ConnectionBytes = (received, sent);
        _log.Write(_context);
    }
}
