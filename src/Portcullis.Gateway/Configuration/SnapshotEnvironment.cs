using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Gateway.Telemetry.AccessLogs;
using Portcullis.Gateway.Telemetry.Tracing;
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

    /// <summary>
    /// Whom requests are told to, asked only for a configuration without an error; adds its warnings. <see langword="null"/>: nobody.
    /// </summary>
    public Func<MeshConfig, ICollection<Problem>, (AccessLogWriter? AccessLog, Tracer? Tracer)>? Telemetry { get; init; }
}
