using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>
/// Parsed certificates by their text, from one configuration to the next: one that stays is not parsed again, and keeps its sessions.
/// </summary>
internal sealed class TlsCertificateCache
{
    private readonly Lock _lock = new();
    private Dictionary<string, SslStreamCertificateContext> _known = [];
    private Dictionary<string, SslStreamCertificateContext> _used = [];

    /// <summary>The context of a certificate with its chain. Nothing is fetched from the network to complete it.</summary>
    /// <param name="certificate">PEM: the server's certificate, then its issuers'.</param>
    /// <param name="key">PEM.</param>
    /// <param name="authorities">Names sent to clients that are asked for a certificate.</param>
    /// <exception cref="TlsCredentialException">It cannot be used.</exception>
    public SslStreamCertificateContext Get(byte[] certificate, byte[] key, X509Certificate2Collection? authorities)
    {
        var id = Id(certificate, key, authorities);
        lock (_lock)
        {
            if (!_used.TryGetValue(id, out var context))
            {
                _used[id] = context = _known.GetValueOrDefault(id) ?? Load(certificate, key, authorities);
            }

            return context;
        }
    }

    /// <summary>A configuration is taken: what it did not ask for is forgotten.</summary>
    public void Commit()
    {
        lock (_lock)
        {
            (_known, _used) = (_used, []);
        }
    }

    /// <summary>A configuration is refused: what only it asked for is forgotten.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _used = [];
        }
    }

    private static string Id(byte[] certificate, byte[] key, X509Certificate2Collection? authorities)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(SHA256.HashData(certificate));
        hash.AppendData(SHA256.HashData(key));
        foreach (var authority in authorities ?? [])
        {
            hash.AppendData(SHA256.HashData(authority.RawDataMemory.Span));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static SslStreamCertificateContext Load(byte[] certificate, byte[] key, X509Certificate2Collection? authorities)
    {
        try
        {
            var pem = Encoding.ASCII.GetString(certificate);
            var leaf = X509Certificate2.CreateFromPem(pem, Encoding.ASCII.GetString(key));
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
            chain.RemoveAt(0);
            var trust = authorities is null || !OperatingSystem.IsLinux() ? null : SslCertificateTrust.CreateForX509Collection(authorities, sendTrustInHandshake: true);
            return SslStreamCertificateContext.Create(leaf, chain, offline: true, trust);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            // The text holds a private key: only what went wrong is said.
            throw new TlsCredentialException($"the certificate and key cannot be used: {e.Message}");
        }
    }
}
