using System.Globalization;

namespace Portcullis.Routing;

/// <summary>Answers with a redirect (<c>redirect</c>; routing.md §2.7).</summary>
public sealed class RedirectAction
{
    private bool _keepsPort;

    /// <summary>301, 302, 303, 307 or 308.</summary>
    public int Status { get; init; } = 301;

    /// <summary>Scheme to go to; <see langword="null"/> keeps the request's.</summary>
    public string? Scheme { get; init; }

    /// <summary>Host to go to; <see langword="null"/> keeps the request's.</summary>
    public string? Authority { get; init; }

    /// <summary>Port to go to; <see langword="null"/> keeps that of the Host header, unless it is the default of the scheme left.</summary>
    public int? Port { get; init; }

    /// <summary>The whole new path, perhaps with a query that replaces the request's.</summary>
    public string? Path { get; init; }

    /// <summary>Replaces the matched prefix.</summary>
    public string? PrefixRewrite { get; init; }

    internal static RedirectAction ToHttps { get; } = new() { Scheme = "https", _keepsPort = true };

    /// <summary>The value of the <c>location</c> header.</summary>
    /// <param name="match">The route's path condition.</param>
    /// <param name="scheme">The request's, lower case.</param>
    /// <param name="authority">Host header as sent.</param>
    /// <param name="path">Normalised path.</param>
    /// <param name="query">Without <c>?</c>; <see langword="null"/> when there is none.</param>
    public string Location(PathMatch match, string scheme, string authority, string path, string? query)
    {
        var newScheme = Scheme ?? scheme;
        var host = Authority ?? HostFor(newScheme, scheme, authority);
        var port = Port is { } number ? ":" + number.ToString(CultureInfo.InvariantCulture) : "";
        var newPath = Path ?? (PrefixRewrite is { } prefix ? string.Concat(prefix, path.AsSpan(match.MatchedLength(path))) : path);
        var keepsQuery = query is not null && (Path is null || !Path.Contains('?', StringComparison.Ordinal));
        return string.Concat(string.Concat(newScheme, "://", host), port, newPath, keepsQuery ? "?" + query : "");
    }

    private string HostFor(string newScheme, string oldScheme, string authority)
    {
        var host = HostName.WithoutPort(authority);
        if (_keepsPort || host.Length == authority.Length)
        {
            return authority;
        }

        var port = authority.AsSpan(host.Length);
        var isOldDefault = newScheme != oldScheme && (oldScheme == "http" ? port is ":80" : oldScheme == "https" && port is ":443");
        return Port is not null || isOldDefault ? host.ToString() : authority;
    }
}
