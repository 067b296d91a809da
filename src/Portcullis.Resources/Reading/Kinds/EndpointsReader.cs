using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates Endpoints and EndpointSlice (routing.md §3).</summary>
internal static class EndpointsReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header) => new Endpoints
    {
        ApiVersion = header.ApiVersion,
        Kind = header.Kind,
        Metadata = header.Metadata,
        Origin = header.Origin,
        Subsets = root.List("subsets", static (r, _) => new EndpointSubset
        {
            Addresses = ReadAddresses(r, "addresses"),
            NotReadyAddresses = ReadAddresses(r, "notReadyAddresses"),
            Ports = r.List("ports", static (p, _) => ReadPort(p, required: true)),
        }),
    };

    public static Resource ReadSlice(ObjectReader root, ResourceHeader header)
    {
        var type = root.Enumerated("addressType", "", ("IPv4", "IPv4"), ("IPv6", "IPv6"), ("FQDN", "FQDN"));
        if (type.Length == 0 && !root.Has("addressType"))
        {
            root.At("addressType").Error("`addressType` is required", "add addressType: IPv4", ProblemCodes.MissingField);
        }

        var slice = new EndpointSlice
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            AddressType = type,
            Endpoints = root.List("endpoints", (r, _) => ReadEndpoint(r, type)),
            Ports = root.List("ports", static (p, _) => ReadPort(p, required: false)),
        };
        if (slice.ServiceName is null)
        {
            root.Self.Warning($"the label {EndpointSlice.ServiceNameLabel} is missing: the slice belongs to no Service",
                $"add metadata.labels: {{{EndpointSlice.ServiceNameLabel}: NAME}}", ProblemCodes.DanglingReference);
        }

        return slice;
    }

    private static SliceEndpoint ReadEndpoint(ObjectReader reader, string type)
    {
        reader.Accept("hostname", "hints");
        var topology = reader.TextMap("deprecatedTopology").SetItems(reader.TextMap("topology"));
        var conditions = reader.Object("conditions", static r => new Conditions(r.Boolean("ready"), r.Boolean("serving"), r.Boolean("terminating")));
        var endpoint = new SliceEndpoint
        {
            Addresses = reader.Texts("addresses", (address, place) =>
            {
                var isV6 = address.Contains(':', StringComparison.Ordinal);
                if (type is "FQDN" ? HostNames.Wrong(address, shortNames: true, addresses: false) is not null : type.Length > 0 && (!Addresses.IsAddress(address) || isV6 != (type == "IPv6")))
                {
                    place.Error($"`{address}` is not an address of type {type}", "correct it, or use a slice of its own for another addressType");
                }
            }),
            Ready = conditions?.Ready,
            Serving = conditions?.Serving,
            Terminating = conditions?.Terminating,
            Zone = reader.Text("zone") ?? topology.GetValueOrDefault("topology.kubernetes.io/zone"),
            Region = topology.GetValueOrDefault("topology.kubernetes.io/region"),
            NodeName = reader.Text("nodeName"),
            TargetName = ReadTargetName(reader),
        };
        if (endpoint.Addresses.IsEmpty)
        {
            reader.At("addresses").Error("must contain at least 1 address", "add addresses", ProblemCodes.MissingField);
        }

        return endpoint;
    }

    private static string? ReadTargetName(ObjectReader owner) => owner.Object("targetRef", static r =>
    {
        r.Accept("apiVersion", "fieldPath", "namespace", "resourceVersion", "uid");
        var name = r.Text("name");
        return r.Text("kind") is null or "Pod" ? new Target(name) : new Target(null);
    })?.Name;

    private static ImmutableArray<string> ReadAddresses(ObjectReader subset, string field) => [.. subset.List(field, static (r, _) =>
    {
        r.Accept("hostname", "nodeName", "targetRef");
        var ip = r.RequiredText("ip");
        if (ip.Length > 0 && !Addresses.IsAddress(ip))
        {
            r.At("ip").Error($"bad IP address ({ip})", "write an IPv4 or IPv6 address");
        }

        return ip;
    })];

    private static EndpointPort ReadPort(ObjectReader reader, bool required)
    {
        var port = reader.Integer("port", 1, 65535);
        if (port is null && required && !reader.Has("port"))
        {
            reader.At("port").Error("`port` is required", "add the port to connect to", ProblemCodes.MissingField);
        }

        return new(reader.Text("name"), port, reader.Enumerated("protocol", "TCP", ("TCP", "TCP"), ("UDP", "UDP"), ("SCTP", "SCTP")), reader.Text("appProtocol"));
    }

    private sealed record Conditions(bool? Ready, bool? Serving, bool? Terminating);

    private sealed record Target(string? Name);
}
