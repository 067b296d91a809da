using System.Net;

namespace Portcullis.Matching;

/// <summary>
/// What policies and routes see of a request. Implemented by structs and taken as a generic parameter, so that no call is virtual and nothing is boxed.
/// </summary>
public interface IRequestAttributes
{
    /// <summary>Method as received.</summary>
    string Method { get; }

    /// <summary><c>http</c> or <c>https</c>, lower case, after the trust rules of X-Forwarded-Proto.</summary>
    string Scheme { get; }

    /// <summary>Host header or <c>:authority</c> as received, port included.</summary>
    string Authority { get; }

    /// <summary>Normalised path without query.</summary>
    string Path { get; }

    /// <summary>Text after the first <c>?</c>, as received; <see langword="null"/> when there is no <c>?</c>.</summary>
    string? Query { get; }

    /// <summary>All lines of a header; the name is compared without case.</summary>
    HeaderValues GetHeader(string name);

    /// <summary>The TCP peer.</summary>
    IPAddress? PeerAddress { get; }

    /// <summary>The client after X-Forwarded-For and PROXY protocol.</summary>
    IPAddress? RemoteAddress { get; }

    /// <summary>Local address of the connection.</summary>
    IPAddress? LocalAddress { get; }

    /// <summary>Local port of the connection: the one really bound.</summary>
    int LocalPort { get; }

    /// <summary>Names in the client's verified certificate; <see langword="null"/> without one.</summary>
    PeerCertificate? PeerCertificate { get; }

    /// <summary>TLS server name; <see langword="null"/> without.</summary>
    string? ServerName { get; }

    /// <summary>Claims of the verified token; <see langword="null"/> for an anonymous request.</summary>
    ClaimSet? Claims { get; }
}

/// <summary>The names in a verified client certificate.</summary>
/// <param name="UriNames">URI subject alternative names.</param>
/// <param name="DnsNames">DNS subject alternative names.</param>
/// <param name="Subject">Subject, RFC 2253.</param>
public sealed record PeerCertificate(IReadOnlyList<string> UriNames, IReadOnlyList<string> DnsNames, string Subject);
