using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Portcullis.Gateway.Jwks;

/// <summary>How one location is asked: what its annotations and the user part of its URL add to a plain GET.</summary>
internal sealed class JwksRequestProfile
{
    private const int MaxHeaders = 32;

    /// <summary>Headers that frame or route the message are not the policy's to set.</summary>
    private static readonly ImmutableHashSet<string> Reserved = ImmutableHashSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Host", "Connection", "Keep-Alive", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect",
        "Proxy-Connection", "Proxy-Authorization", "Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range");

    public X509Certificate2Collection Authorities { get; private init; } = [];

    public Uri? Proxy { get; private init; }

    public ImmutableArray<(string Name, string Value)> Headers { get; private init; } = [];

    /// <summary>Reads the annotations of a location.</summary>
    /// <exception cref="JwksFetchException">An annotation is wrong; permanent.</exception>
    public static JwksRequestProfile Read(IReadOnlyDictionary<string, string> annotations) => new()
    {
        Authorities = annotations.TryGetValue(JwksAnnotations.Authorities, out var pem) ? ReadAuthorities(pem) : [],
        Proxy = annotations.TryGetValue(JwksAnnotations.Proxy, out var proxy) ? ReadProxy(proxy) : null,
        Headers = annotations.TryGetValue(JwksAnnotations.Headers, out var headers) ? ReadHeaders(headers) : [],
    };

    /// <summary>The <c>Authorization</c> for a URL's user part, as curl and Go send it; <see langword="null"/> without one.</summary>
    public static string? BasicAuthorization(Uri url) => url.UserInfo.Length == 0
        ? null
        : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo)));

    private static X509Certificate2Collection ReadAuthorities(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            throw Wrong(JwksAnnotations.Authorities, "holds no certificate in PEM");
        }

        return certificates.Count > 0 ? certificates : throw Wrong(JwksAnnotations.Authorities, "holds no certificate in PEM");
    }

    private static Uri ReadProxy(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var proxy) && proxy.Scheme == Uri.UriSchemeHttp && proxy.UserInfo.Length == 0
            ? proxy
            : throw Wrong(JwksAnnotations.Proxy, "is not http://host:port");

    private static ImmutableArray<(string Name, string Value)> ReadHeaders(string text)
    {
        var headers = ImmutableArray.CreateBuilder<(string, string)>();
        using var probe = new HttpRequestMessage();
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || headers.Count == MaxHeaders || !IsUsable(probe.Headers, line[..colon], line[(colon + 1)..].Trim()))
            {
                throw Wrong(JwksAnnotations.Headers, $"has a line that is no request header of the form `Name: value`, or more than {MaxHeaders} lines");
            }

            headers.Add((line[..colon], line[(colon + 1)..].Trim()));
        }

        return headers.ToImmutable();
    }

    private static bool IsUsable(HttpRequestHeaders probe, string name, string value) =>
        !Reserved.Contains(name) && !value.AsSpan().ContainsAnyExceptInRange(' ', '~') && probe.TryAddWithoutValidation(name, value);

    private static JwksFetchException Wrong(string annotation, string problem) => new($"the annotation `{annotation}` {problem}") { IsPermanent = true };
}
