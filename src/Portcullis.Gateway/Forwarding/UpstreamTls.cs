using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Resources;

namespace Portcullis.Gateway.Forwarding;

/// <summary>
/// TLS to a cluster's backends (routing.md §4.6). Certificates from files are read again when they change, those of Secrets with each revision; open
/// connections stay.
/// </summary>
/// <param name="settings">The DestinationRule's.</param>
/// <param name="serviceNames">Names that the ServiceEntry accepts.</param>
/// <param name="time">Whether revocation lists are in time.</param>
internal sealed class UpstreamTls(ClientTlsSettings settings, ImmutableArray<string> serviceNames, TimeProvider time)
{
    /// <summary>BoringSSL's words for a certificate that does not verify, as Envoy logs and answers them.</summary>
    private const string VerifyFailed = "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end";

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly ImmutableArray<string> _names = settings.SubjectAltNames.IsEmpty ? serviceNames : settings.SubjectAltNames;
    private volatile Loaded? _loaded;

    /// <summary>What was configured: the same settings may go on using the same connections.</summary>
    public ClientTlsSettings Settings => settings;

    /// <summary>Takes the certificates of Secrets.</summary>
    /// <param name="material"><see langword="null"/>: they cannot be had, and no connection is made.</param>
    /// <param name="problem">Why.</param>
    public void Use(UpstreamTlsMaterial? material, string? problem) => _loaded = new(material, problem, "");

    /// <summary>Speaks TLS over a connection.</summary>
    /// <exception cref="UpstreamTlsException">It cannot be, or the backend is not who it should be. The connection is closed.</exception>
    public async ValueTask<Stream> AuthenticateAsync(Stream connection, string? host, bool isHttp2, CancellationToken cancellationToken)
    {
        var secure = new SecureUpstreamConnection(connection);
        await HandshakeAsync(secure, () => Options(HostName(host), isHttp2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11), cancellationToken);
        return secure;
    }

    /// <summary>
    /// Speaks TLS over a connection that does not carry HTTP: without <c>sni</c> no server name is sent, and without names only the chain is verified, as in Istio.
    /// </summary>
    /// <exception cref="UpstreamTlsException">It cannot be, or the backend is not who it should be. The connection is closed.</exception>
    public async ValueTask<SslStream> AuthenticateTcpAsync(Stream connection, CancellationToken cancellationToken)
    {
        var secure = new SslStream(connection);
        await HandshakeAsync(secure, () => Options(null, null), cancellationToken);
        return secure;
    }

    private static async Task HandshakeAsync(SslStream secure, Func<SslClientAuthenticationOptions> options, CancellationToken cancellationToken)
    {
        try
        {
            await secure.AuthenticateAsClientAsync(options(), cancellationToken);
        }
        catch (AuthenticationException e)
        {
            await secure.DisposeAsync();
            throw new UpstreamTlsException(e.InnerException is null ? VerifyFailed : "TLS_error:handshake failed:TLS_error_end", e);
        }
        catch (IOException e)
        {
            await secure.DisposeAsync();
            throw new UpstreamTlsException("TLS_error:connection closed during the handshake:TLS_error_end", e);
        }
        catch
        {
            await secure.DisposeAsync();
            throw;
        }
    }

    /// <param name="host">Of the request; <see langword="null"/> where there is none.</param>
    /// <param name="protocol">ALPN; <see langword="null"/> offers none.</param>
    private SslClientAuthenticationOptions Options(string? host, SslApplicationProtocol? protocol)
    {
        var material = Material();
        var serverName = settings.Sni is { Length: > 0 } sni ? sni : host ?? "";
        // With a server name of its own and no names, only the chain is verified, as in Istio.
        var expected = !_names.IsEmpty ? _names : settings.Sni is { Length: > 0 } || host is null ? [] : serverName.Length > 0 ? [serverName] : default(ImmutableArray<string>);
        return new()
        {
            TargetHost = serverName,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = protocol is { } wanted ? [wanted] : null,
            ClientCertificateContext = material.Client,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                settings.InsecureSkipVerify || (certificate is X509Certificate2 leaf && IsTrusted(leaf, chain, material) && HasName(leaf, expected)),
        };
    }

    private UpstreamTlsMaterial Material()
    {
        if (settings.Mode == ClientTlsMode.IstioMutual)
        {
            throw new UpstreamTlsException("the gateway has no mesh certificate for ISTIO_MUTUAL");
        }

        var loaded = string.IsNullOrEmpty(settings.CredentialName) ? FromFiles() : _loaded;
        return loaded?.Material ?? throw new UpstreamTlsException(loaded?.Problem ?? "no certificate");
    }

    private Loaded FromFiles()
    {
        var version = string.Join(';', Version(settings.ClientCertificate), Version(settings.PrivateKey), Version(settings.CaCertificates), Version(settings.CaCrl));
        if (_loaded is { } known && known.Version == version)
        {
            return known;
        }

        try
        {
            return _loaded = new(UpstreamTlsMaterial.FromFiles(settings), null, version);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            // Half-written files are tried again with the next connection; the last good certificates serve meanwhile.
            return _loaded is { Material: not null } last ? last : new(null, $"certificate files cannot be read: {e.Message}", "");
        }
    }

    private static string Version(string? file)
    {
        if (string.IsNullOrEmpty(file))
        {
            return "";
        }

        var entry = new FileInfo(file);
        return entry.Exists ? $"{entry.LastWriteTimeUtc.Ticks}/{entry.Length}" : "";
    }

    private static string HostName(string? host) => new HostString(host ?? "").Host.Trim('[', ']');

    private bool IsTrusted(X509Certificate2 leaf, X509Chain? received, UpstreamTlsMaterial material)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.ApplicationPolicy.Add(ServerAuthentication);
        if (material.Authorities.Count > 0)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(material.Authorities);
        }

        if (received is not null)
        {
            policy.ExtraStore.AddRange(received.ChainPolicy.ExtraStore);
            foreach (var element in received.ChainElements)
            {
                policy.ExtraStore.Add(element.Certificate);
            }
        }

        return chain.Build(leaf) && (material.Revocations is null || RevocationList.Clear(material.Revocations, chain, time.GetUtcNow()));
    }

    /// <param name="certificate">The backend's.</param>
    /// <param name="expected">Any of these; empty asks for none, the default value (no name is known) accepts none.</param>
    private static bool HasName(X509Certificate2 certificate, ImmutableArray<string> expected)
    {
        if (expected.IsDefault)
        {
            return false;
        }

        foreach (var name in expected)
        {
            if (name.Contains("://", StringComparison.Ordinal) ? HasUri(certificate, name) : certificate.MatchesHostname(name, allowWildcards: true, allowCommonName: false))
            {
                return true;
            }
        }

        return expected.IsEmpty;
    }

    private static bool HasUri(X509Certificate2 certificate, string uri)
    {
        var uriTag = new Asn1Tag(TagClass.ContextSpecific, 6);
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value != "2.5.29.17")
            {
                continue;
            }

            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                if (!names.PeekTag().HasSameClassAndValue(uriTag))
                {
                    names.ReadEncodedValue();
                }
                else if (names.ReadCharacterString(UniversalTagNumber.IA5String, uriTag) == uri)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private sealed record Loaded(UpstreamTlsMaterial? Material, string? Problem, string Version);
}
