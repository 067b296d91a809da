using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Portcullis.Jose;
using Portcullis.Matching;

namespace Portcullis.Policy.Explanation;

/// <summary>A request to explain, as it arrives: nothing of it is normalised or verified yet.</summary>
public sealed record RequestFacts
{
    /// <summary>Method; case counts.</summary>
    public required string Method { get; init; }

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public string Scheme { get; init; } = "http";

    /// <summary>Host header, with its port when it has one.</summary>
    public required string Authority { get; init; }

    /// <summary>Path and query as the client writes them, fragment and all.</summary>
    public required string Target { get; init; }

    /// <summary>Header lines in order; a name may stand several times.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The TCP peer.</summary>
    public IPAddress? PeerAddress { get; init; }

    /// <summary>The client after X-Forwarded-For and PROXY protocol.</summary>
    public IPAddress? RemoteAddress { get; init; }

    /// <summary>Local address of the connection.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>Local port of the connection: the one really bound.</summary>
    public int LocalPort { get; init; } = 8080;

    /// <summary>Names in the client's verified certificate; <see langword="null"/> without one.</summary>
    public PeerCertificate? PeerCertificate { get; init; }

    /// <summary>TLS server name; <see langword="null"/> without.</summary>
    public string? ServerName { get; init; }

    /// <summary>
    /// Claims of a token that is taken for well signed: it stands in no header, and everything but its signature is checked. <see langword="null"/> looks for
    /// tokens in the request.
    /// </summary>
    public JsonElement? AssertedClaims { get; init; }

    /// <summary>
    /// What authentication found when the request was served; the headers and the query are those that it left. <see langword="null"/> authenticates now.
    /// </summary>
    public KnownIdentity? Known { get; init; }
}

/// <summary>The result of authentication, kept without the token.</summary>
/// <param name="Status">Why the token was refused; <see cref="JwtStatus.Ok"/> when it was not, or none came.</param>
/// <param name="Claims">Payload of the accepted token; <see langword="null"/> for an anonymous request.</param>
/// <param name="Rule">The rule that accepted or refused it, as text.</param>
/// <param name="Note">What else was noted about the token; <see langword="null"/> for nothing.</param>
public sealed record KnownIdentity(JwtStatus Status, ClaimSet? Claims, string? Rule, string? Note = null);
