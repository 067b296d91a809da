using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Configuration;

/// <summary>What a configuration is compiled for: this gateway, and what lives longer than one snapshot.</summary>
/// <param name="Workload">Labels and namespaces.</param>
/// <param name="Ports">Ports really bound.</param>
/// <param name="Keys">Finds remote key sets.</param>
/// <param name="VerifiedTokens">Tokens verified before; <see langword="null"/> verifies every token anew.</param>
/// <param name="Upstreams">State of backends.</param>
/// <param name="Authorizers">Connections to external authorizers; <see langword="null"/>: none is asked.</param>
internal sealed record SnapshotEnvironment(
    WorkloadIdentity Workload,
    PortMap Ports,
    IJwksResolver Keys,
    VerifiedTokenCache? VerifiedTokens,
    UpstreamDirectory Upstreams,
    ExternalAuthorizers? Authorizers = null)
{
    /// <summary>Certificates parsed before.</summary>
    public TlsCertificateCache Certificates { get; init; } = new();
}
