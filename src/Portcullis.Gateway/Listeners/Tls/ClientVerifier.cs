using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Resources;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>Verifies the certificates of a server's clients: issuer, time, purpose, revocation, and who may come at all.</summary>
internal sealed class ClientVerifier
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection _authorities;
    private readonly IReadOnlyList<RevocationList>? _revocations;
    private readonly ImmutableArray<string> _names;
    private readonly ImmutableArray<byte[]> _keys;
    private readonly ImmutableArray<byte[]> _hashes;

    /// <param name="settings">Mode, names and pins.</param>
    /// <param name="authorities">Trust anchors.</param>
    /// <param name="revocations">When given, every certificate of a chain needs a list of its issuer that is in time, as in Envoy.</param>
    public ClientVerifier(ServerTlsSettings settings, X509Certificate2Collection authorities, IReadOnlyList<RevocationList>? revocations)
    {
        (_authorities, _revocations) = (authorities, revocations);
        IsRequired = settings.Mode == ServerTlsMode.Mutual;
        _names = settings.SubjectAltNames;
        _keys = [.. settings.VerifyCertificateSpki.Select(k => Decode(k, Convert.FromBase64String))];
        _hashes = [.. settings.VerifyCertificateHash.Select(h => Decode(h.Replace(":", "", StringComparison.Ordinal), Convert.FromHexString))];
    }

    /// <summary>A client without a certificate is refused.</summary>
    public bool IsRequired { get; }

    /// <summary>Trust anchors, whose names are sent to clients.</summary>
    public X509Certificate2Collection Authorities => _authorities;

    /// <summary>How a chain is built: from what the client sends and the anchors; nothing is fetched.</summary>
    public X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return policy;
    }

    /// <summary>Decides on what the handshake brought.</summary>
    public bool Accepts(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (certificate is null)
        {
            return !IsRequired;
        }

        return errors == SslPolicyErrors.None && chain is not null && (_revocations is null || RevocationList.Clear(_revocations, chain, now)) && IsPinned(certificate)
            && (_names.IsEmpty || ClientNames.HasAny(certificate, _names));
    }

    private bool IsPinned(X509Certificate2 certificate)
    {
        if (_keys.IsEmpty && _hashes.IsEmpty)
        {
            return true;
        }

        var key = SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        var hash = SHA256.HashData(certificate.RawDataMemory.Span);
        return _keys.Any(k => k.AsSpan().SequenceEqual(key)) || _hashes.Any(h => h.AsSpan().SequenceEqual(hash));
    }

    /// <summary>A pin that cannot be read matches nothing: an empty value is no hash.</summary>
    private static byte[] Decode(string text, Func<string, byte[]> decode)
    {
        try
        {
            return decode(text);
        }
        catch (FormatException)
        {
            return [];
        }
    }
}
