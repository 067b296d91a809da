using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Routing;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>A chain's TLS settings ready for handshakes. Immutable: a rotated certificate makes a new one.</summary>
internal sealed class TlsServer
{
    private readonly ImmutableArray<SslStreamCertificateContext> _certificates;
    private readonly ClientVerifier? _clients;
    private readonly SslProtocols _protocols;
    private readonly CipherSuitesPolicy? _suites;
    private readonly bool _isHttp;

    /// <param name="chain">What it is for.</param>
    /// <param name="certificates">One, or one a kind of key.</param>
    /// <param name="clients"><see langword="null"/>: clients are not asked for a certificate.</param>
    /// <param name="clientPolicy">Equal for two servers that accept the same clients.</param>
    public TlsServer(TlsChain chain, ImmutableArray<SslStreamCertificateContext> certificates, ClientVerifier? clients, string clientPolicy)
    {
        (_certificates, _clients, ClientPolicy) = (certificates, clients, clientPolicy);
        _protocols = TlsCipherSuites.Protocols(chain.Settings);
        _suites = TlsCipherSuites.Policy(chain.Settings.CipherSuites);
        _isHttp = chain.Treatment == TlsTreatment.TerminateHttp;
    }

    /// <summary>What a connection had to show; when this changes, the connections of before are drained.</summary>
    public string ClientPolicy { get; }

    /// <summary>URI names of the certificate, which is what <c>By</c> says in <c>x-forwarded-client-cert</c>.</summary>
    public IReadOnlyList<string> OwnUris { get; init; } = [];

    /// <summary>Options of one handshake.</summary>
    /// <param name="hello">What the client said.</param>
    /// <param name="connection">Learns who the client is.</param>
    /// <param name="time">For revocation lists.</param>
    public SslServerAuthenticationOptions Options(in ClientHello hello, DownstreamConnection connection, TimeProvider time)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = Certificate(hello.TakesEcdsa),
            EnabledSslProtocols = _protocols,
            CipherSuitesPolicy = _suites,
            // A client that names other protocols only is served HTTP/1.1, as by Envoy; .NET would refuse it.
            ApplicationProtocols = _isHttp && hello.OffersHttp ? [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11] : [],
            AllowRenegotiation = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (_clients is { } clients)
        {
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = clients.ChainPolicy();
            // A resumed session would carry over what another server on the port had accepted.
            options.AllowTlsResume = false;
            options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                var presented = certificate as X509Certificate2;
                var isAccepted = clients.Accepts(presented, chain, errors, time.GetUtcNow());
                if (isAccepted && presented is not null)
                {
                    connection.Identify(presented);
                }

                connection.IsClientRefused = !isAccepted;
                return isAccepted;
            };
        }

        return options;
    }

    private SslStreamCertificateContext Certificate(bool takesEcdsa)
    {
        foreach (var certificate in _certificates)
        {
            if (IsEcdsa(certificate) == takesEcdsa)
            {
                return certificate;
            }
        }

        return _certificates[0];
    }

    private static bool IsEcdsa(SslStreamCertificateContext context) => context.TargetCertificate.PublicKey.Oid.Value == "1.2.840.10045.2.1";
}
