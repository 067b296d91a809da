using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>What the access log says of the client's connection. All absent on a connection in clear.</summary>
internal static class ConnectionValues
{
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

    private static string? Uris(X509Certificate2 certificate) => ClientNames.Of(certificate).UriNames is { Count: > 0 } uris ? string.Join(',', uris) : null;
}
