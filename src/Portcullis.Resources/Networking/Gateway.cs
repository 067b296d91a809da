using System.Collections.Immutable;

namespace Portcullis.Resources;

/// <summary>Istio's Gateway (networking.istio.io/v1): the ports that the gateway listens on, and for which hosts.</summary>
public sealed record Gateway : Resource
{
    /// <summary>Labels a gateway workload must carry; empty selects every gateway.</summary>
    public ImmutableDictionary<string, string> Selector { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary><c>spec.servers</c>, at least one.</summary>
    public ImmutableArray<Server> Servers { get; init; } = [];
}

/// <summary>One port with its hosts (<c>Gateway.spec.servers[]</c>).</summary>
public sealed record Server
{
    /// <summary>The port as declared; the one really bound may differ.</summary>
    public required ServerPort Port { get; init; }

    /// <summary>Address to bind; <see langword="null"/> is every address.</summary>
    public string? Bind { get; init; }

    /// <summary><c>[namespace/]dnsName</c> entries.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>TLS settings; only for TLS protocols, or for <c>httpsRedirect</c>.</summary>
    public ServerTlsSettings? Tls { get; init; }

    /// <summary>Name for logs and metrics.</summary>
    public string? Name { get; init; }

    /// <summary>Accepted for compatibility; not used by the gateway.</summary>
    public string? DefaultEndpoint { get; init; }
}

/// <summary>A declared port.</summary>
/// <param name="Number">1–65535.</param>
/// <param name="Name">Unique within the Gateway.</param>
/// <param name="Protocol">HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TCP, TLS, MONGO, MYSQL, REDIS; upper-cased.</param>
public sealed record ServerPort(int Number, string Name, string Protocol);

/// <summary>How TLS is treated (<c>tls.mode</c>).</summary>
public enum ServerTlsMode
{
    /// <summary>Not terminated; routed by SNI.</summary>
    Passthrough,

    /// <summary>Terminated, no client certificate.</summary>
    Simple,

    /// <summary>Terminated, client certificate required and verified.</summary>
    Mutual,

    /// <summary>SNI names an internal destination; only between clusters.</summary>
    AutoPassthrough,

    /// <summary>Terminated with mesh certificates.</summary>
    IstioMutual,

    /// <summary>Terminated, client certificate verified when sent.</summary>
    OptionalMutual,
}

/// <summary>TLS protocol versions (<c>minProtocolVersion</c>, <c>maxProtocolVersion</c>).</summary>
public enum TlsProtocolVersion
{
    /// <summary>The gateway's choice: 1.2 to 1.3.</summary>
    Auto,

    /// <summary>TLS 1.0.</summary>
    Tls10,

    /// <summary>TLS 1.1.</summary>
    Tls11,

    /// <summary>TLS 1.2.</summary>
    Tls12,

    /// <summary>TLS 1.3.</summary>
    Tls13,
}

/// <summary>TLS settings of a server.</summary>
public sealed record ServerTlsSettings
{
    /// <summary>Answers every plain request with 301 to https.</summary>
    public bool HttpsRedirect { get; init; }

    /// <summary>How TLS is treated.</summary>
    public ServerTlsMode Mode { get; init; }

    /// <summary>Certificate file.</summary>
    public string? ServerCertificate { get; init; }

    /// <summary>Private key file.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>File with the client CA.</summary>
    public string? CaCertificates { get; init; }

    /// <summary>Certificate revocation list file.</summary>
    public string? CaCrl { get; init; }

    /// <summary>Secret with the certificate, in the gateway's namespace.</summary>
    public string? CredentialName { get; init; }

    /// <summary>Up to two Secrets (RSA and ECDSA).</summary>
    public ImmutableArray<string> CredentialNames { get; init; } = [];

    /// <summary>Secret with the client CA.</summary>
    public string? CaCertCredentialName { get; init; }

    /// <summary>Certificate files, up to two.</summary>
    public ImmutableArray<TlsCertificateFiles> TlsCertificates { get; init; } = [];

    /// <summary>Accepted client names.</summary>
    public ImmutableArray<string> SubjectAltNames { get; init; } = [];

    /// <summary>Accepted client public keys, base64 SHA-256.</summary>
    public ImmutableArray<string> VerifyCertificateSpki { get; init; } = [];

    /// <summary>Accepted client certificates, hex SHA-256.</summary>
    public ImmutableArray<string> VerifyCertificateHash { get; init; } = [];

    /// <summary>Lowest version.</summary>
    public TlsProtocolVersion MinProtocolVersion { get; init; }

    /// <summary>Highest version.</summary>
    public TlsProtocolVersion MaxProtocolVersion { get; init; }

    /// <summary>OpenSSL names, for TLS 1.2 and below.</summary>
    public ImmutableArray<string> CipherSuites { get; init; } = [];
}

/// <summary>A certificate from files.</summary>
public sealed record TlsCertificateFiles
{
    /// <summary>Certificate file.</summary>
    public string? ServerCertificate { get; init; }

    /// <summary>Private key file.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>Client CA file.</summary>
    public string? CaCertificates { get; init; }
}
