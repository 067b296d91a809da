using System.Net;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// What the gateway knows of a client's connection beyond what its requests say. A feature of the connection; absent from one that is plain HTTP
/// without a PROXY header.
/// </summary>
internal sealed class DownstreamConnection
{
    /// <summary>The real TCP peer, when a PROXY header replaced the connection's addresses.</summary>
    public IPEndPoint? DirectPeer { get; init; }
}
