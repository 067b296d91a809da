namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates ServiceEntry and WorkloadEntry (routing.md §5).</summary>
internal static class ServiceEntryReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec =>
    {
        var numbers = new HashSet<int>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var entry = new ServiceEntry
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Hosts = spec.Texts("hosts", static (host, place) =>
            {
                if (host is "*")
                {
                    place.Error("hostname cannot be wildcard", "name the host");
                }
                else if (HostNames.Wrong(host, shortNames: true, addresses: false) is { } wrong)
                {
                    place.Error(wrong, "write a full name");
                }
            }),
            Addresses = spec.Texts("addresses", Addresses.Check),
            Ports = spec.List("ports", (r, _) => ReadPort(r, numbers, names)),
            Location = spec.Enumerated<string?>("location", null, ("MESH_EXTERNAL", "MESH_EXTERNAL"), ("MESH_INTERNAL", "MESH_INTERNAL")),
            Resolution = spec.Enumerated("resolution", ServiceEntryResolution.None,
                ("NONE", ServiceEntryResolution.None), ("STATIC", ServiceEntryResolution.Static), ("DNS", ServiceEntryResolution.Dns),
                ("DNS_ROUND_ROBIN", ServiceEntryResolution.DnsRoundRobin), ("DYNAMIC_DNS", ServiceEntryResolution.DynamicDns)),
            Endpoints = spec.List("endpoints", static (r, _) => ReadWorkload(r)),
            WorkloadSelector = spec.Object("workloadSelector", static r => SelectionReader.MatchLabels(r, "labels")),
            ExportTo = ExportTo.Read(spec),
            SubjectAltNames = spec.Texts("subjectAltNames"),
        };
        Check(spec, entry);
        return entry;
    });

    public static Resource ReadWorkloadEntry(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec => new WorkloadEntry
    {
        ApiVersion = header.ApiVersion,
        Kind = header.Kind,
        Metadata = header.Metadata,
        Origin = header.Origin,
        Spec = ReadWorkload(spec),
    });

    private static void Check(ObjectReader spec, ServiceEntry entry)
    {
        if (entry.Hosts.IsEmpty)
        {
            spec.At("hosts").Error("service entry must have at least one host", "add hosts", ProblemCodes.MissingField);
        }

        if (entry.WorkloadSelector is not null && !entry.Endpoints.IsEmpty)
        {
            spec.At("endpoints").Error("only one of WorkloadSelector or Endpoints can be set", "keep one of the two");
        }

        switch (entry.Resolution)
        {
            case ServiceEntryResolution.None when !entry.Endpoints.IsEmpty:
                spec.At("endpoints").Error("NONE mode cannot set endpoints", "set resolution: STATIC for addresses, DNS for names");
                break;
            case ServiceEntryResolution.DnsRoundRobin when entry.Endpoints.Length > 1:
                spec.At("endpoints").Error("DNS_ROUND_ROBIN mode cannot have multiple endpoints", "set resolution: DNS");
                break;
            case ServiceEntryResolution.Dns or ServiceEntryResolution.DnsRoundRobin when entry.Endpoints.IsEmpty && entry.Hosts.Any(h => h.StartsWith('*')):
                spec.At("hosts").Error("hosts must be FQDN if no endpoints are provided for resolution mode DNS", "name the host, or give endpoints");
                break;
            case ServiceEntryResolution.DynamicDns:
                spec.At("resolution").Warning("DYNAMIC_DNS is not supported; the service has no endpoints", "set resolution: DNS", ProblemCodes.Unsupported);
                break;
        }

        for (var i = 0; i < entry.Endpoints.Length; i++)
        {
            CheckAddress(spec, entry, i);
        }

        if (entry.Resolution is not (ServiceEntryResolution.None or ServiceEntryResolution.Static) && entry.Addresses.Any(a => a.Contains('/', StringComparison.Ordinal)))
        {
            spec.At("addresses").Error("CIDR addresses are allowed only for NONE/STATIC resolution types", "list single addresses");
        }
    }

    private static void CheckAddress(ObjectReader spec, ServiceEntry entry, int index)
    {
        var address = entry.Endpoints[index].Address;
        if (string.IsNullOrEmpty(address) || address.StartsWith("unix://", StringComparison.Ordinal))
        {
            return;
        }

        var isAddress = Addresses.IsAddress(address);
        if (entry.Resolution is ServiceEntryResolution.Static && !isAddress)
        {
            spec.At("endpoints", index).Error($"invalid address {address}: STATIC takes IP addresses", "set resolution: DNS for names");
        }
        else if (!isAddress && HostNames.Wrong(address, shortNames: true, addresses: false) is { } wrong)
        {
            spec.At("endpoints", index).Error(wrong, "write an IP address or a full name");
        }
    }

    private static ServiceEntryPort ReadPort(ObjectReader reader, HashSet<int> numbers, HashSet<string> names)
    {
        var number = reader.Integer("number", 1, 65535, "port must be between 1-65535");
        if (number is null && !reader.Has("number"))
        {
            reader.At("number").Error("`number` is required", "add the port that routes name", ProblemCodes.MissingField);
        }
        else if (number is { } n && !numbers.Add(n))
        {
            reader.At("number").Error("port number cannot be duplicated", "give every port its own number", ProblemCodes.Conflict);
        }

        var name = reader.RequiredText("name");
        if (name.Length > 0 && !names.Add(name))
        {
            reader.At("name").Error($"service entry port name `{name}` already defined", "give every port its own name", ProblemCodes.Conflict);
        }

        return new(number ?? 0, name, Protocols.Read(reader, required: false), reader.Integer("targetPort", 1, 65535, "port must be between 1-65535"));
    }

    private static WorkloadEntrySpec ReadWorkload(ObjectReader reader)
    {
        var workload = new WorkloadEntrySpec
        {
            Address = reader.Text("address"),
            Ports = reader.PortMap("ports"),
            Labels = reader.TextMap("labels"),
            Network = reader.Text("network"),
            Locality = reader.Text("locality"),
            Weight = reader.Integer("weight", 0, int.MaxValue),
            ServiceAccount = reader.Text("serviceAccount"),
        };
        if (string.IsNullOrEmpty(workload.Address) && string.IsNullOrEmpty(workload.Network))
        {
            reader.At("address").Error("Address is required", "give the IP address, or a name under DNS resolution", ProblemCodes.MissingField);
        }
        else if (workload.Address is { } address && address.StartsWith("unix://", StringComparison.Ordinal))
        {
            reader.At("address").Warning("Unix domain sockets are not supported; the endpoint is not used", "give an IP address", ProblemCodes.Unsupported);
        }

        return workload;
    }
}
