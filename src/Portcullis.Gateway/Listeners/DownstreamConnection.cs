using System.Net;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Listeners.Tls;
using Portcullis.Matching;
using Portcullis.Routing;

namespace Portcullis.Gateway.Listeners;

/// <summary>
/// What the gateway knows of a client's connection beyond what its requests say. A feature of the connection; absent from one that is plain HTTP
/// without a PROXY header.
/// </summary>
internal sealed class DownstreamConnection
{
    private Resolution? _resolution;

    /// <summary>The real TCP peer, when a PROXY header replaced the connection's addresses.</summary>
    public IPEndPoint? DirectPeer { get; set; }

    /// <summary>What the client began TLS with; <see langword="null"/> in clear.</summary>
    public ClientHello? Hello { get; set; }

    /// <summary>TLS server name; <see langword="null"/> without.</summary>
    public string? ServerName => Hello is { ServerName.Length: > 0 } hello ? hello.ServerName : null;

    /// <summary>The server that the handshake is with.</summary>
    public TlsServer? Server { get; set; }

    /// <summary>The Gateway's server whose chain took the connection; not the chain, which would keep its configuration for as long as the connection.</summary>
    public ListenerServer? Origin { get; set; }

    /// <summary>The handshake is done.</summary>
    public bool IsSecured { get; set; }

    /// <summary>The client's certificate, or the want of one, ended the handshake.</summary>
    public bool IsClientRefused { get; set; }

    /// <summary>Names of the client's verified certificate; <see langword="null"/> without one.</summary>
    public PeerCertificate? Peer { get; private set; }

    /// <summary>What <c>x-forwarded-client-cert</c> says of the client; <see langword="null"/> without a certificate.</summary>
    public string? ClientCertificateElement { get; private set; }

    /// <summary>Takes the names of a certificate that was verified.</summary>
    public void Identify(X509Certificate2 certificate)
    {
        Peer = ClientNames.Of(certificate);
        ClientCertificateElement = Pipeline.ClientCertificateHeader.Element(certificate, Peer, Server?.OwnUris ?? []);
    }

    /// <summary>The chain that serves the connection's next request, in the configuration in force.</summary>
    /// <param name="snapshot">The configuration of the request.</param>
    /// <param name="listener">The port's listener in it.</param>
    /// <param name="isCurrent">
    /// False when another server has the name now, or asks other things of clients: the connection is to end after this request, as Envoy drains
    /// the connections of a chain that is gone.
    /// </param>
    public TlsChain? ChainIn(GatewaySnapshot snapshot, CompiledListener? listener, out bool isCurrent)
    {
        var known = Volatile.Read(ref _resolution);
        if (known is null || !ReferenceEquals(known.Snapshot.Target, snapshot))
        {
            var chain = listener?.Protocol == ListenerProtocol.Tls ? listener.FindChain(ServerName) : null;
            chain = chain?.Treatment == TlsTreatment.TerminateHttp ? chain : null;
            var isSame = chain is not null && IsSame(chain.Server, Origin!) && snapshot.Tls.Find(chain)?.ClientPolicy == Server!.ClientPolicy;
            Volatile.Write(ref _resolution, new(new WeakReference(snapshot), new WeakReference(chain), isSame));
            isCurrent = isSame;
            return chain;
        }

        isCurrent = known.IsCurrent;
        return (TlsChain?)known.Chain.Target;
    }

    private static bool IsSame(ListenerServer one, ListenerServer other) =>
        one.Gateway.Id == other.Gateway.Id && one.Server.Port.Name == other.Server.Port.Name;

    /// <summary>Of the last request. Weak: a connection that is idle must not keep a configuration that is gone; while it is in force its chains live.</summary>
    private sealed record Resolution(WeakReference Snapshot, WeakReference Chain, bool IsCurrent);
}
