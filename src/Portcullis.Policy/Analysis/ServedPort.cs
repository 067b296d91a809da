using System.Collections.Immutable;

namespace Portcullis.Policy.Analysis;

/// <summary>A port that the gateway listens on, as the Gateways in force make it: what policies about hosts and ports are held against.</summary>
/// <param name="Bound">The port really bound, which <c>ports</c> and <c>destination.port</c> are compared with.</param>
/// <param name="Declared">The ports of the Gateways' servers behind it, which clients usually name.</param>
/// <param name="IsHttp">Requests arrive here.</param>
/// <param name="IsTcp">Connections that are not read as HTTP arrive here.</param>
/// <param name="AsksForCertificate">Clients can prove an identity by a certificate (<c>MUTUAL</c>, <c>OPTIONAL_MUTUAL</c>, <c>ISTIO_MUTUAL</c>).</param>
/// <param name="Hosts">Hosts of its servers, without namespaces: a name, <c>*.suffix</c> or <c>*</c>.</param>
public sealed record ServedPort(
    int Bound, ImmutableArray<int> Declared, bool IsHttp, bool IsTcp, bool AsksForCertificate, ImmutableArray<string> Hosts);
