using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Resources;

namespace Portcullis.Gateway.Forwarding;

/// <summary>The certificates of one <c>tls</c> block as they are now.</summary>
/// <param name="Client">Client certificate with its chain; <see langword="null"/> presents none.</param>
/// <param name="Authorities">Trusted roots; empty is the system's.</param>
/// <param name="Revocations">When given, every certificate of a chain needs a list of its issuer that does not name it.</param>
internal sealed record UpstreamTlsMaterial(
    SslStreamCertificateContext? Client, X509Certificate2Collection Authorities, IReadOnlyList<RevocationList>? Revocations = null)
{
    /// <summary>The system's roots and no client certificate.</summary>
    public static UpstreamTlsMaterial System { get; } = new(null, []);

    /// <summary>From the files that the block names.</summary>
    /// <exception cref="IOException">One cannot be read.</exception>
    /// <exception cref="CryptographicException">One holds something else.</exception>
    public static UpstreamTlsMaterial FromFiles(ClientTlsSettings settings)
    {
        var client = settings.Mode == ClientTlsMode.Mutual ? ReadClient(File.ReadAllText(settings.ClientCertificate!), File.ReadAllText(settings.PrivateKey!)) : null;
        return new(
            client,
            settings.CaCertificates is { Length: > 0 } file and not "system" ? ReadAuthorities(File.ReadAllText(file)) : [],
            settings.CaCrl is { Length: > 0 } list ? RevocationList.ReadPem(File.ReadAllBytes(list)) : null);
    }

    /// <summary>From Secrets, with the keys that Istio looks for (routing.md §1.5).</summary>
    /// <param name="secret">The one that <c>credentialName</c> names.</param>
    /// <param name="authorities">The one with <c>-cacert</c> behind the name, when there is one.</param>
    /// <param name="needsClient">The mode is MUTUAL.</param>
    /// <exception cref="CryptographicException">A key is missing, or holds something else.</exception>
    public static UpstreamTlsMaterial FromSecrets(Secret? secret, Secret? authorities, bool needsClient)
    {
        var client = !needsClient ? null
            : Text(secret, "cert") is { } cert && Text(secret, "key") is { } key ? ReadClient(cert, key)
            : Text(secret, "tls.crt") is { } tlsCert && Text(secret, "tls.key") is { } tlsKey ? ReadClient(tlsCert, tlsKey)
            : throw new CryptographicException("found secret, but didn't have expected keys (cert and key) or (tls.crt and tls.key)");
        var owner = Text(authorities, "cacert") is not null || Text(authorities, "ca.crt") is not null ? authorities : secret;
        var root = Text(owner, "cacert") is not null ? "cacert" : "ca.crt";
        var lists = Text(owner, root == "cacert" ? "crl" : "ca.crl");
        return new(
            client,
            Text(owner, root) is { } roots ? ReadAuthorities(roots) : [],
            lists is null ? null : RevocationList.ReadPem(Encoding.UTF8.GetBytes(lists)));
    }

    private static string? Text(Secret? secret, string key) => secret?.Values.GetValueOrDefault(key) is { Length: > 0 } value ? Encoding.UTF8.GetString(value.Span) : null;

    private static X509Certificate2Collection ReadAuthorities(string pem)
    {
        var found = new X509Certificate2Collection();
        found.ImportFromPem(pem);
        return found.Count > 0 ? found : throw new CryptographicException("no certificate in the authorities' PEM");
    }

    private static SslStreamCertificateContext ReadClient(string certificate, string key)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificate);
        var leaf = X509Certificate2.CreateFromPem(certificate, key);
        return SslStreamCertificateContext.Create(leaf, [.. chain.Skip(1)], offline: true);
    }
}
