namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates Istio's Gateway (routing.md §1).</summary>
internal static class GatewayReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec =>
    {
        if (header.Metadata.Name.Contains('.', StringComparison.Ordinal))
        {
            root.At("metadata").Error($"invalid gateway name: `{header.Metadata.Name}` is not a DNS label", "remove the dots");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var servers = spec.List("servers", (r, _) => ReadServer(r, names));
        if (servers.IsEmpty)
        {
            spec.At("servers").Error("gateway must have at least one server", "add a server with port and hosts", ProblemCodes.MissingField);
        }

        return new Gateway
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Selector = spec.TextMap("selector"),
            Servers = servers,
        };
    });

    private static Server ReadServer(ObjectReader reader, HashSet<string> names)
    {
        var port = reader.Object("port", static r => ReadPort(r), required: true) ?? new ServerPort(0, "", "HTTP");
        if (port.Name.Length > 0 && !names.Add(port.Name))
        {
            reader.At("port").Error($"port names in servers must be unique: duplicate name {port.Name}", "give every port of the gateway its own name");
        }

        var bind = reader.Text("bind");
        if (!string.IsNullOrEmpty(bind) && !Addresses.IsAddress(bind) && !bind.StartsWith("unix://", StringComparison.Ordinal))
        {
            reader.At("bind").Error($"`{bind}` is not an IP address", "write an address such as 0.0.0.0 or ::, or remove it for every address");
        }

        var hosts = reader.Texts("hosts", static (host, place) =>
        {
            if (HostNames.WrongServerHost(host) is { } wrong)
            {
                place.Error(wrong, "write a full name, *.suffix or *, optionally as namespace/name");
            }
        });
        if (hosts.IsEmpty)
        {
            reader.At("hosts").Error("server config must contain at least one host", "add hosts: [\"*\"] to serve every host", ProblemCodes.MissingField);
        }

        return new Server
        {
            Port = port,
            Bind = string.IsNullOrEmpty(bind) ? null : bind,
            Hosts = hosts,
            Tls = ServerTlsReader.Read(reader, port.Protocol),
            Name = reader.Text("name"),
            DefaultEndpoint = reader.Text("defaultEndpoint"),
        };
    }

    private static ServerPort ReadPort(ObjectReader reader)
    {
        var number = reader.Integer("number", 1, 65535);
        if (number is null && !reader.Has("number"))
        {
            reader.At("number").Error("`number` is required", "add the port that clients connect to", ProblemCodes.MissingField);
        }

        if (reader.Has("targetPort"))
        {
            reader.At("targetPort").Error("targetPort is not allowed in a gateway's port", "remove it; map the port with --port or by the gateway's Service");
        }

        reader.Accept("targetPort");
        var protocol = Protocols.Read(reader, required: true);
        return new ServerPort(number ?? 0, reader.RequiredText("name", "port name must be set"), protocol);
    }
}
