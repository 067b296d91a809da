using System.Net;
using Portcullis.Matching;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Diagnosis;

/// <summary>A request that nobody sent: the least that policies can be asked about. Its path is normalised.</summary>
public readonly struct RequestSketch : IRequestAttributes
{
    private readonly (string Name, string Value)[] _headers;

    /// <param name="method">HTTP method.</param>
    /// <param name="url">Absolute; its user part and fragment do not count.</param>
    /// <param name="path">The URL's path as the gateway normalises it.</param>
    /// <param name="headers">Header lines in their order.</param>
    public RequestSketch(string method, Uri url, string path, params (string Name, string Value)[] headers)
        : this(method, url, path, url.Query.Length > 0 ? url.Query[1..] : null, headers, null)
    {
    }

    private RequestSketch(string method, Uri url, string path, string? query, (string Name, string Value)[] headers, ClaimSet? claims)
    {
        Method = method;
        Url = url;
        Path = path;
        Query = query;
        _headers = headers;
        Claims = claims;
    }

    private Uri Url { get; }

    /// <inheritdoc/>
    public string Method { get; }

    /// <inheritdoc/>
    public string Scheme => Url.Scheme;

    /// <inheritdoc/>
    public string Authority => Url.Authority;

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public string? Query { get; }

    /// <inheritdoc/>
    public IPAddress? PeerAddress => IPAddress.Loopback;

    /// <inheritdoc/>
    public IPAddress? RemoteAddress => IPAddress.Loopback;

    /// <inheritdoc/>
    public IPAddress? LocalAddress => IPAddress.Loopback;

    /// <inheritdoc/>
    public int LocalPort => Url.Port;

    /// <inheritdoc/>
    public PeerCertificate? PeerCertificate => null;

    /// <inheritdoc/>
    public string? ServerName => null;

    /// <inheritdoc/>
    public ClaimSet? Claims { get; }

    /// <inheritdoc/>
    public HeaderValues GetHeader(string name) =>
        new([.. _headers.Where(h => string.Equals(h.Name, name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value)]);

    /// <summary>The request with its token where one carrier puts it.</summary>
    internal RequestSketch With(TokenCarrier carrier, string token) => carrier.Kind switch
    {
        TokenLocationKind.Header => new(Method, Url, Path, Query, [.. _headers, (carrier.Name, carrier.Prefix + token)], null),
        TokenLocationKind.Cookie => new(Method, Url, Path, Query, [.. _headers, ("cookie", $"{carrier.Name}={token}")], null),
        _ => new(Method, Url, Path, $"{(Query is null ? "" : Query + "&")}{Uri.EscapeDataString(carrier.Name)}={Uri.EscapeDataString(token)}", _headers, null),
    };

    /// <summary>The request as authentication leaves it.</summary>
    internal RequestSketch After(in AuthenticationResult result)
    {
        if (result.Edits is not { } edits)
        {
            return new(Method, Url, Path, Query, _headers, result.Identity?.Claims);
        }

        var kept = _headers.Where(h => !edits.HeadersToRemove.Contains(h.Name, StringComparer.OrdinalIgnoreCase));
        return new(
            Method, Url, Path, edits.ReplacesQuery ? edits.Query : Query, [.. kept, .. edits.HeadersToAppend.Select(h => (h.Name, h.Value))], result.Identity?.Claims);
    }
}
