using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Portcullis.Gateway.Forwarding;
using Portcullis.Matching;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// What happens before any policy looks: protocol checks, path normalisation, who the client is, and removing what a client must not say.
/// </summary>
internal static class RequestPreparation
{
    private static readonly SearchValues<char> ControlCharacters = SearchValues.Create([.. Enumerable.Range(0, 0x21).Append(0x7f).Select(i => (char)i)]);

    /// <summary>Fills the context.</summary>
    /// <returns>The answer to a request that cannot be served; <see langword="null"/> when it goes on.</returns>
    public static Task? Refuse(GatewayContext context)
    {
        var http = context.Http;
        var request = http.Request;
        var mesh = context.Snapshot.Mesh;
        context.RawTarget = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        context.Authority = request.Host.Value ?? "";
        context.Scheme = request.Scheme;
        // A PROXY header has replaced the connection's address; the peer that sent it stays what `source.ip` means (authorization.md §5.1).
        var address = context.Addresses.Unmap(http.Connection.RemoteIpAddress);
        var peer = context.Downstream?.DirectPeer;
        context.ConnectionAddress = address;
        (context.PeerAddress, context.PeerPort) = peer is null ? (address, http.Connection.RemotePort) : (ClientAddress.Unmap(peer.Address), peer.Port);
        HopByHopHeaders.RemoveNominated(request.Headers);
        var forwardedFor = request.Headers["x-forwarded-for"];
        context.RemoteAddress = ClientAddress.Resolve(forwardedFor, mesh.NumTrustedProxies, address);
        context.ForwardedFor = forwardedFor.Count == 0 ? context.Addresses.Text(address) : $"{string.Join(',', (IEnumerable<string?>)forwardedFor)},{address}";
        if (mesh.NumTrustedProxies > 0 && request.Headers["x-forwarded-proto"] is [{ } claimed] && ForwardedScheme(claimed) is { } scheme)
        {
            context.Scheme = scheme;
        }

        context.RequestId = mesh.ProxyHeaders.GeneratesRequestId ? NewRequestId(context) : request.Headers["x-request-id"].ToString();
        var certificate = request.Headers["x-forwarded-client-cert"];
        var hasOnlyValidNames = RequestSanitizer.Sanitize(request.Headers);
        ClientCertificateHeader.Apply(request.Headers, certificate, context.Downstream, mesh.ForwardClientCertDetails);
        if (request.Protocol == "HTTP/1.0")
        {
            http.Response.Headers.Connection = "close";
            return LocalReply.SendAsync(context, StatusCodes.Status426UpgradeRequired, "", "low_version");
        }

        if (request.Method.AsSpan().ContainsAnyInRange('a', 'z'))
        {
            // `get` is another method than `GET` (RFC 9110 §9.1), but not to every backend: a policy on methods would be dodged.
            http.Response.Headers.Connection = "close";
            return LocalReply.SendAsync(context, StatusCodes.Status400BadRequest, "", "http1.codec_error", "DPE");
        }

        if (!hasOnlyValidNames)
        {
            http.Response.Headers.Connection = "close";
            return LocalReply.SendAsync(context, StatusCodes.Status400BadRequest, "", "http1.codec_error", "DPE");
        }

        if (context.RawTarget.AsSpan().ContainsAny(ControlCharacters))
        {
            http.Response.Headers.Connection = "close";
            return LocalReply.SendAsync(context, StatusCodes.Status400BadRequest, "", "http1.codec_error", "DPE");
        }

        if (HasHeaderOfAConnection(request))
        {
            return LocalReply.SendAsync(context, StatusCodes.Status400BadRequest, "", "http2.invalid.header.field", "DPE");
        }

        if (IsAmbiguouslyFramed(request.Headers))
        {
            http.Response.Headers.Connection = "close";
            return LocalReply.SendAsync(context, StatusCodes.Status400BadRequest, "", "http1.content_length_and_chunked_not_allowed", "DPE");
        }

        if (IsOtherUpgrade(http))
        {
            http.Response.Headers.Connection = "close";
            return LocalReply.SendAsync(context, StatusCodes.Status403Forbidden, "", "upgrade_failed");
        }

        if (http.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true })
        {
            ReadAsUpgrade(request);
        }

        return NormalizePath(context);
    }

    /// <summary>
    /// HTTP/2 has no header of the connection; a request with one is malformed (RFC 9113 §8.2.2). The server itself looks at <c>connection</c> and <c>te</c> alone.
    /// </summary>
    private static bool HasHeaderOfAConnection(HttpRequest request)
    {
        var headers = request.Headers;
        return HttpProtocol.IsHttp2(request.Protocol)
            && (headers.TransferEncoding.Count > 0 || headers.Upgrade.Count > 0 || headers.KeepAlive.Count > 0 || headers.ContainsKey(HeaderNames.ProxyConnection));
    }

    /// <summary>
    /// A WebSocket over HTTP/2 (RFC 8441) is to policies, routes and logs what it is over HTTP/1.1, as in Envoy: a GET that asks for an upgrade. A rule about methods
    /// would be dodged otherwise.
    /// </summary>
    private static void ReadAsUpgrade(HttpRequest request)
    {
        request.Method = HttpMethods.Get;
        request.Headers.Upgrade = "websocket";
        request.Headers.Connection = "Upgrade";
    }

    /// <summary>
    /// A wish to speak anything but WebSocket (SPDY, TLS …) is refused, whatever the route. <c>h2c</c> is not followed, as RFC 9110 §7.8 allows: the
    /// request is served as it is.
    /// </summary>
    private static bool IsOtherUpgrade(HttpContext http)
    {
        if (http.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            return !string.Equals(connect.Protocol, "websocket", StringComparison.OrdinalIgnoreCase);
        }

        return http.Features.Get<IHttpUpgradeFeature>()?.IsUpgradableRequest == true
            && http.Request.Headers.Upgrade.ToString() is { Length: > 0 } wanted
            && !wanted.Equals("websocket", StringComparison.OrdinalIgnoreCase)
            && !wanted.Equals("h2c", StringComparison.OrdinalIgnoreCase);
    }

    private static string NewRequestId(GatewayContext context)
    {
        var id = Guid.NewGuid().ToString();
        return context.Trace?.Mark(id) ?? id;
    }

    /// <summary>
    /// Content-Length beside Transfer-Encoding is how requests are smuggled (RFC 9112 §6.1), and so is any coding but one <c>chunked</c>. The server lets
    /// Transfer-Encoding win and keeps the other under this name.
    /// </summary>
    private static bool IsAmbiguouslyFramed(IHeaderDictionary headers)
    {
        var encoding = headers.TransferEncoding;
        return encoding.Count > 0
            && (headers.ContainsKey("X-Content-Length") || encoding.Count > 1 || !string.Equals(encoding[0], "chunked", StringComparison.OrdinalIgnoreCase));
    }

    private static Task? NormalizePath(GatewayContext context)
    {
        var target = OriginForm(context.RawTarget);
        if (target.Length == 0 || target[0] != '/')
        {
            return LocalReply.SendAsync(context, StatusCodes.Status404NotFound, "", "absolute_path_rejected", "NR");
        }

        if (!PathNormalizer.TryNormalize(target, context.Snapshot.NormalizationMode, out var path, out var query))
        {
            return LocalReply.SendAsync(context, StatusCodes.Status400BadRequest, "", "path_normalization_failed");
        }

        (context.Path, context.Query) = (path, query);
        return null;
    }

    /// <summary>An absolute-form target loses its scheme and authority; the server already took the authority for the Host.</summary>
    public static string OriginForm(string target)
    {
        if (target.StartsWith('/'))
        {
            return target;
        }

        var scheme = target.IndexOf("://", StringComparison.Ordinal);
        if (scheme <= 0)
        {
            return target;
        }

        var path = target.AsSpan(scheme + 3).IndexOfAny('/', '?', '#');
        if (path < 0)
        {
            return "/";
        }

        var rest = target[(scheme + 3 + path)..];
        return rest[0] == '/' ? rest : "/" + rest;
    }

    private static string? ForwardedScheme(string value) =>
        value.Equals("https", StringComparison.OrdinalIgnoreCase) ? "https" : value.Equals("http", StringComparison.OrdinalIgnoreCase) ? "http" : null;
}
