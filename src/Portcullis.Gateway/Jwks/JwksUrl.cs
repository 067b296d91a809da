using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Portcullis.Gateway.Jwks;

/// <summary>URLs of key servers: which are fetched, and how they are shown.</summary>
internal static class JwksUrl
{
    private const string WellKnown = "/.well-known/openid-configuration";
    private const int MaxLength = 2048;

    /// <summary>The discovery document of an issuer: one trailing slash is taken off (authentication.md §9).</summary>
    public static string Discovery(string issuer) => (issuer.EndsWith('/') ? issuer[..^1] : issuer) + WellKnown;

    /// <summary>An absolute http or https URL with a host; no longer than the API lets <c>jwksUri</c> be.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Uri? url)
    {
        url = null;
        return text is { Length: > 0 and <= MaxLength } && Uri.TryCreate(text, UriKind.Absolute, out url) && IsFetchable(url);
    }

    public static bool IsFetchable(Uri url) =>
        url.IsAbsoluteUri && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) && url.Host.Length > 0;

    public static bool IsDowngrade(Uri from, Uri to) => from.Scheme == Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttps;

    public static bool SameOrigin(Uri a, Uri b) =>
        a.Scheme == b.Scheme && a.Port == b.Port && string.Equals(a.IdnHost, b.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>The address that a host literal stands for.</summary>
    public static bool TryGetLiteral(Uri url, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        return url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 && IPAddress.TryParse(url.IdnHost, out address);
    }

    /// <summary>For logs and the console: without user, query and fragment, any of which may be a secret.</summary>
    public static string Redact(string? url) => TryParse(url, out var parsed) ? Redact(parsed) : "(not an http URL)";

    /// <inheritdoc cref="Redact(string?)"/>
    public static string Redact(Uri url) => url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}
