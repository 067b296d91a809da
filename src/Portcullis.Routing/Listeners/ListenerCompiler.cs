using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Puts the servers of all Gateways that select this workload on their listeners, oldest first (routing.md §1).</summary>
internal sealed class ListenerCompiler(
    ResourceSet set, WorkloadIdentity workload, PortMap ports, VirtualServiceIndex services, RouteCompiler routes, TcpCompiler tcp,
    ProblemReporter problems)
{
    private readonly List<Builder> _listeners = [];

    public ImmutableArray<CompiledListener> Compile()
    {
        foreach (var gateway in set.OfType<Gateway>().Where(g => Labels.Contain(workload.Labels, g.Selector)))
        {
            for (var i = 0; i < gateway.Servers.Length; i++)
            {
                Place(new(gateway, i));
            }
        }

        return [.. _listeners.Select(Build)];
    }

    private void Place(ListenerServer server)
    {
        var written = server.Server;
        if (ProtocolOf(written) is not { } protocol)
        {
            problems.Error(
                server.Gateway, server.FieldPath + ".port.protocol", ProblemCodes.InvalidValue, $"`{written.Port.Protocol}` is not a protocol; the server is left out",
                "use HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TLS or TCP");
            return;
        }

        if (protocol == ListenerProtocol.Tls && Refusal(written) is { } refusal)
        {
            problems.Error(server.Gateway, server.FieldPath + ".tls", refusal.Code, refusal.Message + "; the server is left out");
            return;
        }

        if (!TryBind(server, out var bind))
        {
            return;
        }

        var port = Bound(written.Port.Number);
        var hosts = new ServerHosts(server, problems);
        var listener = _listeners.Find(l => l.Port == port && Equals(l.Bind, bind) && (port != 0 || l.DeclaredPort == written.Port.Number));
        if (listener is null)
        {
            _listeners.Add(listener = new(port, written.Port.Number, bind, protocol));
        }
        else if (Conflict(listener, protocol, hosts) is { } conflict)
        {
            problems.Warning(
                server.Gateway, server.FieldPath, ProblemCodes.Conflict,
                $"{conflict} on port {written.Port.Number} (bound as {port}) in {listener.Servers[0].Server.Gateway.Id}, which is older; this server is left out",
                "use another port or other hosts, or remove one of the two");
            return;
        }

        listener.Servers.Add((server, hosts));
        listener.Names.UnionWith(hosts.Names);
    }

    private static string? Conflict(Builder listener, ListenerProtocol protocol, ServerHosts hosts)
    {
        if (listener.Protocol != protocol)
        {
            return $"there is a server of another protocol ({Words(listener.Protocol)})";
        }

        return protocol switch
        {
            ListenerProtocol.Http => null,
            ListenerProtocol.Tls => hosts.Names.FirstOrDefault(listener.Names.Contains) is { } name ? $"`{name}` already is served" : null,
            _ => "there is a TCP server",
        };
    }

    private CompiledListener Build(Builder listener) => new(listener.Protocol == ListenerProtocol.Tls ? Chains(listener) : [])
    {
        Port = listener.Port,
        Bind = listener.Bind,
        Protocol = listener.Protocol,
        Servers = [.. listener.Servers.Select(s => s.Server)],
        TranslatesGrpcWeb = listener.Servers.Exists(s => s.Server.Server.Port.Protocol == "GRPC-WEB"),
        Hosts = listener.Protocol == ListenerProtocol.Http ? Hosts(listener.Servers, isTls: false) : VirtualHostTable.Empty,
        Tcp = listener.Protocol == ListenerProtocol.Tcp ? tcp.Forward(listener.Servers[0].Server, listener.Servers[0].Hosts) : null,
    };

    private VirtualHostTable Hosts(IEnumerable<(ListenerServer Server, ServerHosts Hosts)> servers, bool isTls)
    {
        var builder = new VirtualHostBuilder(services, routes);
        foreach (var (server, hosts) in servers)
        {
            builder.Add(server, hosts, isTls);
        }

        return builder.Build();
    }

    private ImmutableArray<TlsChain> Chains(Builder listener)
    {
        var chains = ImmutableArray.CreateBuilder<TlsChain>();
        foreach (var (server, hosts) in listener.Servers)
        {
            var settings = server.Server.Tls!;
            if (settings.Mode == ServerTlsMode.Passthrough)
            {
                chains.AddRange(tcp.PassThrough(server, hosts));
                continue;
            }

            var isHttp = server.Server.Port.Protocol == "HTTPS";
            chains.Add(new()
            {
                SniHosts = [.. hosts.Names],
                Treatment = isHttp ? TlsTreatment.TerminateHttp : TlsTreatment.TerminateTcp,
                Settings = settings,
                Server = server,
                Hosts = isHttp ? Hosts([(server, hosts)], isTls: true) : VirtualHostTable.Empty,
                Tcp = isHttp ? null : tcp.Forward(server, hosts),
            });
        }

        return chains.ToImmutable();
    }

    /// <summary>What the operator maps goes first, then the Service in front of this gateway, then the default.</summary>
    private int Bound(int declared)
    {
        if (ports.TryGetExplicit(declared, out var bound))
        {
            return bound;
        }

        foreach (var service in set.OfType<Service>())
        {
            if (service.Metadata.Namespace == workload.Namespace && !service.Selector.IsEmpty && Labels.Contain(workload.Labels, service.Selector)
                && !service.Metadata.Labels.ContainsKey("experimental.istio.io/disable-gateway-port-translation"))
            {
                foreach (var port in service.Ports)
                {
                    if (port.Port == declared)
                    {
                        return port.TargetPort is null ? declared
                            : int.TryParse(port.TargetPort, NumberStyles.None, CultureInfo.InvariantCulture, out bound) ? bound : ports.Bound(declared);
                    }
                }
            }
        }

        return ports.Bound(declared);
    }

    private bool TryBind(ListenerServer server, out IPAddress? bind)
    {
        bind = null;
        var written = server.Server.Bind;
        if (string.IsNullOrEmpty(written))
        {
            return true;
        }

        if (written.StartsWith("unix:", StringComparison.Ordinal))
        {
            problems.Error(server.Gateway, server.FieldPath + ".bind", ProblemCodes.Unsupported, "a Unix socket cannot be bound; the server is left out");
            return false;
        }

        if (!HostName.TryParseAddress(written, out bind))
        {
            problems.Error(server.Gateway, server.FieldPath + ".bind", ProblemCodes.InvalidValue, $"`{written}` is not an IP address; the server is left out");
            return false;
        }

        if (bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any))
        {
            bind = null;
        }

        return true;
    }

    private static (string Code, string Message)? Refusal(Server server) => server switch
    {
        { Tls: null } => (ProblemCodes.MissingField, $"a server of protocol `{server.Port.Protocol}` needs `tls` settings"),
        { Tls.Mode: ServerTlsMode.AutoPassthrough } => (ProblemCodes.Unsupported, "`AUTO_PASSTHROUGH` joins clusters of a mesh, which an ingress does not"),
        { Tls.Mode: ServerTlsMode.IstioMutual } => (ProblemCodes.Unsupported, "`ISTIO_MUTUAL` needs a mesh certificate, which this gateway does not have"),
        _ => null,
    };

    private static ListenerProtocol? ProtocolOf(Server server) => server.Port.Protocol switch
    {
        "HTTP" or "HTTP2" or "GRPC" or "GRPC-WEB" => ListenerProtocol.Http,
        "HTTPS" or "TLS" => ListenerProtocol.Tls,
        "TCP" or "MONGO" or "MYSQL" or "REDIS" => ListenerProtocol.Tcp,
        _ => null,
    };

    private static string Words(ListenerProtocol protocol) => protocol switch
    {
        ListenerProtocol.Http => "HTTP",
        ListenerProtocol.Tls => "TLS",
        _ => "TCP",
    };

    private sealed class Builder(int port, int declaredPort, IPAddress? bind, ListenerProtocol protocol)
    {
        public int Port { get; } = port;

        public int DeclaredPort { get; } = declaredPort;

        public IPAddress? Bind { get; } = bind;

        public ListenerProtocol Protocol { get; } = protocol;

        public List<(ListenerServer Server, ServerHosts Hosts)> Servers { get; } = [];

        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);
    }
}
