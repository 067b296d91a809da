namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>What the first message of a TLS client says, as far as a server must be chosen by it.</summary>
/// <param name="ServerName">Lower-case SNI host name; empty when there is none.</param>
/// <param name="TakesEcdsa">The client verifies ECDSA signatures.</param>
/// <param name="OffersHttp">ALPN names <c>h2</c> or <c>http/1.1</c>.</param>
internal readonly record struct ClientHello(string ServerName, bool TakesEcdsa, bool OffersHttp);
