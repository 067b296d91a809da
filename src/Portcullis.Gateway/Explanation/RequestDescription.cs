using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using Portcullis.Matching;

namespace Portcullis.Gateway.Explanation;

/// <summary>A request as somebody describes it who asks what would become of it.</summary>
public sealed record RequestDescription
{
    /// <summary>Method; case counts.</summary>
    public string Method { get; init; } = "GET";

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public string Scheme { get; init; } = "http";

    /// <summary>Host header that the URL gives: with its port, unless that is the scheme's own.</summary>
    public required string Authority { get; init; }

    /// <summary>Port that a Gateway's server declares: the URL's, or the scheme's own.</summary>
    public required int Port { get; init; }

    /// <summary>Path and query, not normalised.</summary>
    public required string Target { get; init; }

    /// <summary>Header lines in order. <c>Host</c> replaces the authority.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The TCP peer.</summary>
    public IPAddress SourceIp { get; init; } = IPAddress.Loopback;

    /// <summary>The client's address, when it is not to be found by X-Forwarded-For.</summary>
    public IPAddress? RemoteIp { get; init; }

    /// <summary>Names in the client's certificate; <see langword="null"/> without one.</summary>
    public PeerCertificate? PeerCertificate { get; init; }

    /// <summary>TLS server name; <see langword="null"/> is the host for https, and none for http.</summary>
    public string? ServerName { get; init; }

    /// <summary>Claims of a token that counts as well signed.</summary>
    public JsonElement? Claims { get; init; }

    /// <summary>Reads a URL without changing anything in its path.</summary>
    /// <param name="method">Method.</param>
    /// <param name="url"><c>http(s)://host[:port][/path][?query]</c>.</param>
    /// <param name="request">The request, when the URL is one.</param>
    /// <param name="error">What is wrong with it.</param>
    public static bool TryParse(string method, string url, [NotNullWhen(true)] out RequestDescription? request, [NotNullWhen(false)] out string? error)
    {
        (request, error) = (null, null);
        var scheme = url.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? "http" : url.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? "https" : null;
        if (scheme is null)
        {
            error = $"`{url}` is not a URL; write it like http://host/path";
            return false;
        }

        var rest = url[(scheme.Length + 3)..];
        var end = rest.AsSpan().IndexOfAny('/', '?', '#');
        var authority = end < 0 ? rest : rest[..end];
        var target = end < 0 ? "/" : rest[end] == '/' ? rest[end..] : "/" + rest[end..];
        var defaultPort = scheme == "http" ? 80 : 443;
        if (!TrySplit(authority, defaultPort, out var host, out var port))
        {
            error = $"`{authority}` is not a host, or a host with a port, as in `{scheme}://host:8080/path`";
            return false;
        }

        if (method.Length == 0 || !method.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            error = $"`{method}` is not a method";
            return false;
        }

        request = new RequestDescription
        {
            Method = method,
            Scheme = scheme,
            Authority = port == defaultPort ? host : authority,
            Port = port,
            Target = target,
        };
        return true;
    }

    private static bool TrySplit(string authority, int defaultPort, out string host, out int port)
    {
        var colon = authority.LastIndexOf(':');
        var hasPort = colon > authority.LastIndexOf(']');
        host = hasPort ? authority[..colon] : authority;
        port = defaultPort;
        return host.Length > 0
            && !host.AsSpan().ContainsAny('@', ' ', '\\')
            && (!hasPort || (int.TryParse(authority.AsSpan(colon + 1), System.Globalization.NumberStyles.None, null, out port) && port is > 0 and < 65536));
    }
}
