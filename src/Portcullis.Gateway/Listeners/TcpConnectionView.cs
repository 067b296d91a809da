using System.Net;
using Portcullis.Gateway.Pipeline;
using Portcullis.Matching;

namespace Portcullis.Gateway.Listeners;

/// <summary>A TCP connection as policies see it: there is no request and no token (authorization.md §7.3).</summary>
internal readonly struct TcpConnectionView(IPEndPoint? client, IPEndPoint? local, DownstreamConnection? downstream) : IRequestAttributes
{
    public string Method => "";

    public string Scheme => "";

    public string Authority => "";

    public string Path => "";

    public string? Query => null;

    public IPAddress? PeerAddress => ClientAddress.Unmap((downstream?.DirectPeer ?? client)?.Address);

    public IPAddress? RemoteAddress => ClientAddress.Unmap(client?.Address);

    public IPAddress? LocalAddress => ClientAddress.Unmap(local?.Address);

    public int LocalPort => local?.Port ?? 0;

    public PeerCertificate? PeerCertificate => downstream?.Peer;

    public string? ServerName => downstream?.ServerName;

    public ClaimSet? Claims => null;

    public HeaderValues GetHeader(string name) => default;
}
