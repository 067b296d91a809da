using System.Globalization;
using System.Net;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.AccessLogs;
using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Gives the <c>%…%</c> commands of header values their meaning for one request.</summary>
internal readonly struct HeaderCommandSource(GatewayContext context) : IHeaderCommandSource
{
    private static readonly string HostName = Dns.GetHostName();

    public string? Value(HeaderCommand command, string argument)
    {
        var http = context.Http;
        return command switch
        {
            HeaderCommand.RequestHeader => RequestHeader(argument),
            HeaderCommand.ResponseHeader => http.Response.Headers[argument] is { Count: > 0 } values ? values.ToString() : null,
            HeaderCommand.StartTime => context.StartTime.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            HeaderCommand.Protocol => http.Request.Protocol,
            HeaderCommand.ResponseCode => http.Response.StatusCode.ToString(CultureInfo.InvariantCulture),
            HeaderCommand.ResponseFlags => context.ResponseFlags ?? "-",
            HeaderCommand.ResponseCodeDetails => context.ResponseDetails,
            HeaderCommand.DownstreamRemoteAddress => EndPoint(context.RemoteAddress, context.RemotePort),
            HeaderCommand.DownstreamRemoteAddressWithoutPort => context.RemoteAddress?.ToString(),
            HeaderCommand.DownstreamRemotePort => Number(context.RemotePort),
            HeaderCommand.DownstreamDirectRemoteAddress => EndPoint(context.PeerAddress, context.PeerPort),
            HeaderCommand.DownstreamDirectRemoteAddressWithoutPort => context.PeerAddress?.ToString(),
            HeaderCommand.DownstreamLocalAddress => EndPoint(ClientAddress.Unmap(http.Connection.LocalIpAddress), http.Connection.LocalPort),
            HeaderCommand.DownstreamLocalAddressWithoutPort => ClientAddress.Unmap(http.Connection.LocalIpAddress)?.ToString(),
            HeaderCommand.DownstreamLocalPort => Number(http.Connection.LocalPort),
            HeaderCommand.UpstreamHost => context.Endpoint?.Address,
            HeaderCommand.UpstreamCluster => context.Cluster?.Name,
            HeaderCommand.RouteName => context.Route?.Name,
            HeaderCommand.Hostname => HostName,
            _ => ConnectionValues.Find(command.EnvoyName)?.Invoke(context),
        };
    }

    private string? RequestHeader(string name)
    {
        var lines = new RequestView(context).GetHeader(name);
        return lines.Count switch
        {
            0 => null,
            1 => lines[0],
            _ => string.Join(',', Enumerable.Range(0, lines.Count).Select(i => lines[i])),
        };
    }

    private static string? EndPoint(IPAddress? address, int port) => address is null ? null : new IPEndPoint(address, port).ToString();

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
