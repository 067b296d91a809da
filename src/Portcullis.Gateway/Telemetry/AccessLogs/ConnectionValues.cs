using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>What the access log says of the client's connection. All absent on a connection in clear.</summary>
internal static class ConnectionValues
{
    private const string AlternativeNames = "2.5.29.17";

    public static Func<GatewayContext, string?>? Find(string name) => name switch
    {
        "REQUESTED_SERVER_NAME" => static c => Handshake(c)?.HostName is { Length: > 0 } name ? name : c.Downstream?.ServerName,
        "DOWNSTREAM_TLS_VERSION" => static c => Handshake(c)?.Protocol switch
        {
            System.Security.Authentication.SslProtocols.Tls12 => "TLSv1.2",
            System.Security.Authentication.SslProtocols.Tls13 => "TLSv1.3",
            _ => null,
        },
        "DOWNSTREAM_TLS_CIPHER" => static c => Handshake(c)?.NegotiatedCipherSuite?.ToString(),
        "DOWNSTREAM_PEER_SUBJECT" => static c => Certificate(c)?.Subject,
        "DOWNSTREAM_PEER_ISSUER" => static c => Certificate(c)?.Issuer,
        "DOWNSTREAM_PEER_SERIAL" => static c => Certificate(c)?.SerialNumber.ToLowerInvariant(),
        "DOWNSTREAM_PEER_FINGERPRINT_256" => static c => Certificate(c)?.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256).ToLowerInvariant(),
        "DOWNSTREAM_PEER_URI_SAN" => static c => Certificate(c) is { } certificate ? Uris(certificate) : null,
        _ => null,
    };

    private static ITlsHandshakeFeature? Handshake(GatewayContext context) => context.Http.Features.Get<ITlsHandshakeFeature>();

    private static X509Certificate2? Certificate(GatewayContext context) => context.Http.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;

    private static string? Uris(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value == AlternativeNames)
            {
                var names = new System.Formats.Asn1.AsnReader(extension.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
                var uri = new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 6);
                var found = new List<string>();
                while (names.HasData)
                {
                    if (names.PeekTag().HasSameClassAndValue(uri))
                    {
                        found.Add(names.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.IA5String, uri));
                    }
                    else
                    {
                        names.ReadEncodedValue();
                    }
                }

                return found.Count == 0 ? null : string.Join(',', found);
            }
        }

        return null;
    }
}
