using System.Collections.Immutable;
using System.Net;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>What a listener speaks.</summary>
public enum ListenerProtocol
{
    /// <summary>HTTP in clear: HTTP/1.1, and HTTP/2 by prior knowledge. Routed by <see cref="CompiledListener.Hosts"/>.</summary>
    Http,

    /// <summary>TLS: terminated or passed through, by server name. Routed by <see cref="CompiledListener.FindChain"/>.</summary>
    Tls,

    /// <summary>Opaque TCP, forwarded to <see cref="CompiledListener.Tcp"/>.</summary>
    Tcp,
}

/// <summary>One port to bind, with everything that the Gateways' servers on it say (routing.md §1). Immutable.</summary>
public sealed class CompiledListener
{
    private readonly HostTable<TlsChain> _chains;

    internal CompiledListener(ImmutableArray<TlsChain> chains)
    {
        TlsChains = chains;
        _chains = new(chains.SelectMany(c => c.SniHosts.Select(h => KeyValuePair.Create(h, c))));
    }

    /// <summary>Port to bind; 0 lets the system choose.</summary>
    public required int Port { get; init; }

    /// <summary>Address to bind; <see langword="null"/> is every one.</summary>
    public IPAddress? Bind { get; init; }

    /// <summary>What it speaks.</summary>
    public required ListenerProtocol Protocol { get; init; }

    /// <summary>The servers merged here, oldest first; a server that lost a conflict is not among them.</summary>
    public required ImmutableArray<ListenerServer> Servers { get; init; }

    /// <summary>Virtual hosts of an <see cref="ListenerProtocol.Http"/> listener.</summary>
    public VirtualHostTable Hosts { get; init; } = VirtualHostTable.Empty;

    /// <summary>Chains of a <see cref="ListenerProtocol.Tls"/> listener.</summary>
    public ImmutableArray<TlsChain> TlsChains { get; }

    /// <summary>Where a <see cref="ListenerProtocol.Tcp"/> listener sends connections; <see langword="null"/>: they are closed.</summary>
    public TcpForwardAction? Tcp { get; init; }

    /// <summary>Some server says <c>GRPC-WEB</c>: grpc-web calls are translated to gRPC.</summary>
    public bool TranslatesGrpcWeb { get; init; }

    /// <summary>The chain for a TLS server name: exact, then the longest wildcard, then <c>*</c>.</summary>
    /// <param name="serverName">Empty when the client sends none: only <c>*</c> fits.</param>
    /// <returns><see langword="null"/>: the connection is closed, <c>NR</c>, <c>filter_chain_not_found</c>.</returns>
    public TlsChain? FindChain(ReadOnlySpan<char> serverName) => _chains.Find(serverName);
}

/// <summary>A Gateway's server that a listener serves.</summary>
/// <param name="Gateway">The Gateway.</param>
/// <param name="Index">In <c>spec.servers</c>.</param>
public sealed record ListenerServer(Gateway Gateway, int Index)
{
    /// <summary>The server as written.</summary>
    public Server Server => Gateway.Servers[Index];

    /// <summary>For problem reports.</summary>
    public string FieldPath => $"spec.servers[{Index}]";
}

/// <summary>How a chain treats TLS.</summary>
public enum TlsTreatment
{
    /// <summary>Terminated; then HTTP, routed by <see cref="TlsChain.Hosts"/>.</summary>
    TerminateHttp,

    /// <summary>Terminated; then opaque bytes for <see cref="TlsChain.Tcp"/>.</summary>
    TerminateTcp,

    /// <summary>Not terminated; bytes go to <see cref="TlsChain.Tcp"/>.</summary>
    PassThrough,
}

/// <summary>What happens to TLS connections for some server names.</summary>
public sealed class TlsChain
{
    /// <summary>Lower-case names, <c>*.suffix</c> or <c>*</c>.</summary>
    public required ImmutableArray<string> SniHosts { get; init; }

    /// <summary>What is done.</summary>
    public required TlsTreatment Treatment { get; init; }

    /// <summary>Certificates and versions; the mode says what is asked of clients.</summary>
    public required ServerTlsSettings Settings { get; init; }

    /// <summary>The server that it comes from.</summary>
    public required ListenerServer Server { get; init; }

    /// <summary>Virtual hosts of this server alone: a Host header of another server on the port finds nothing.</summary>
    public VirtualHostTable Hosts { get; init; } = VirtualHostTable.Empty;

    /// <summary>Where bytes go; <see langword="null"/>: the connection is closed.</summary>
    public TcpForwardAction? Tcp { get; init; }
}

/// <summary>Forwards a connection to one of several clusters.</summary>
public sealed class TcpForwardAction
{
    private readonly WeightedChoice _choice;

    internal TcpForwardAction(ImmutableArray<TcpDestination> destinations)
    {
        Destinations = destinations;
        _choice = WeightedChoice.Of(destinations, d => d.Weight);
    }

    /// <summary>At least one.</summary>
    public ImmutableArray<TcpDestination> Destinations { get; }

    /// <summary>Chooses by weight and at random.</summary>
    public TcpDestination Pick() => Pick(WeightedChoice.Draw());

    /// <summary>Chooses by weight.</summary>
    /// <param name="random">Uniform over all 32 bits.</param>
    public TcpDestination Pick(uint random) => Destinations[_choice.Index(random)];
}

/// <summary>A destination of connections with its share.</summary>
/// <param name="Cluster"><see langword="null"/> when unknown: the connection is closed.</param>
/// <param name="ClusterName"><c>outbound|port|subset|host</c>.</param>
/// <param name="Weight">Relative share.</param>
public sealed record TcpDestination(Cluster? Cluster, string ClusterName, int Weight);
