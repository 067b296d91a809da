using System.Net;

namespace Portcullis.Gateway.Listeners.ProxyProtocol;

/// <summary>What a PROXY protocol header says of the connection that it begins.</summary>
/// <param name="Source">The client; <see langword="null"/> when the header names none (<c>UNKNOWN</c>, <c>LOCAL</c>, a Unix socket): the peer stays.</param>
/// <param name="Destination">Where the client connected to; <see langword="null"/> together with <paramref name="Source"/>.</param>
internal readonly record struct ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination);

/// <summary>What became of the bytes read so far.</summary>
internal enum ProxyHeaderStatus
{
    /// <summary>They can still become a header.</summary>
    Incomplete,

    /// <summary>A header.</summary>
    Complete,

    /// <summary>They are not a header and cannot become one: the connection is closed.</summary>
    Malformed,
}
