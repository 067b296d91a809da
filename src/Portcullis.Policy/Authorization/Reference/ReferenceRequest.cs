using System.Net;
using Portcullis.Matching;

namespace Portcullis.Policy.Authorization.Reference;

/// <summary>A request as the reference sees it: plain values, and a token that is known, absent, or left open.</summary>
internal sealed record ReferenceRequest
{
    public required string Method { get; init; }

    public required string Scheme { get; init; }

    public required string Authority { get; init; }

    public required string Path { get; init; }

    public required string? Query { get; init; }

    public required Func<string, string[]> Header { get; init; }

    public required IPAddress? PeerAddress { get; init; }

    public required IPAddress? RemoteAddress { get; init; }

    public required IPAddress? LocalAddress { get; init; }

    public required int LocalPort { get; init; }

    public required string[] PeerNames { get; init; }

    public required string ServerName { get; init; }

    /// <summary>Claims of the token; <see langword="null"/> without one.</summary>
    public required ClaimSet? Claims { get; init; }

    /// <summary>The token is left open: the question is what any token could do.</summary>
    public bool IsIdentityOpen { get; private init; }

    /// <summary>Issuer of the open token; <see langword="null"/> leaves that open too.</summary>
    public string? OpenIssuer { get; private init; }

    public static ReferenceRequest Of<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var copy = request;
        return new ReferenceRequest
        {
            Method = request.Method,
            Scheme = request.Scheme,
            Authority = request.Authority,
            Path = request.Path,
            Query = request.Query,
            Header = name =>
            {
                var lines = copy.GetHeader(name);
                return [.. Enumerable.Range(0, lines.Count).Select(i => lines[i])];
            },
            PeerAddress = request.PeerAddress,
            RemoteAddress = request.RemoteAddress,
            LocalAddress = request.LocalAddress,
            LocalPort = request.LocalPort,
            PeerNames = request.PeerCertificate is { } c ? [.. c.UriNames, .. c.DnsNames, c.Subject] : [],
            ServerName = request.ServerName ?? "",
            Claims = request.Claims,
        };
    }

    public ReferenceRequest WithOpenIdentity(string? issuer) => this with { Claims = null, IsIdentityOpen = true, OpenIssuer = issuer };

    /// <summary>Whether a header's lines, joined by commas, are anything but empty.</summary>
    public bool IsNotEmpty(string header) => string.Join(',', Header(header)).Length > 0;
}
