namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates a Kubernetes Service (routing.md §3).</summary>
internal static class ServiceReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec =>
    {
        spec.Accept("clusterIPs", "externalIPs", "sessionAffinity", "loadBalancerIP", "loadBalancerSourceRanges", "externalTrafficPolicy", "healthCheckNodePort",
            "sessionAffinityConfig", "ipFamily", "ipFamilies", "ipFamilyPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass", "internalTrafficPolicy",
            "topologyKeys");
        var service = new Service
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Type = spec.Enumerated("type", "ClusterIP", ("ClusterIP", "ClusterIP"), ("NodePort", "NodePort"), ("LoadBalancer", "LoadBalancer"), ("ExternalName", "ExternalName")),
            Ports = spec.List("ports", static (r, _) => ReadPort(r)),
            Selector = spec.TextMap("selector"),
            ExternalName = spec.Text("externalName"),
            ClusterIP = spec.Text("clusterIP"),
            PublishNotReadyAddresses = spec.Boolean("publishNotReadyAddresses") ?? false,
            TrafficDistribution = spec.Text("trafficDistribution"),
        };
        if (!Names.IsLabel(header.Metadata.Name) && Names.IsSubdomain(header.Metadata.Name))
        {
            root.At("metadata").Error($"`{header.Metadata.Name}` is not a valid Service name", "use lower-case letters, digits and inner `-`, at most 63 characters");
        }

        Check(spec, service);
        return service;
    });

    private static void Check(ObjectReader spec, Service service)
    {
        if (service.Type == "ExternalName")
        {
            if (string.IsNullOrEmpty(service.ExternalName))
            {
                spec.At("externalName").Error("`externalName` is required for type ExternalName", "name the external host", ProblemCodes.MissingField);
            }
            else if (HostNames.Wrong(service.ExternalName, shortNames: true, addresses: false) is { } wrong)
            {
                spec.At("externalName").Error(wrong, "write a full name");
            }
        }
        else if (service.Ports.IsEmpty && service.ClusterIP != "None")
        {
            spec.At("ports").Error("`ports` is required", "add a port with name and port", ProblemCodes.MissingField);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<(int, string)>();
        for (var i = 0; i < service.Ports.Length; i++)
        {
            var port = service.Ports[i];
            if (string.IsNullOrEmpty(port.Name) && service.Ports.Length > 1)
            {
                spec.At("ports", i).Error("a Service with several ports needs a name for each", "add name", ProblemCodes.MissingField);
            }
            else if (port.Name is { Length: > 0 } name && !names.Add(name))
            {
                spec.At("ports", i).Error($"duplicate port name `{name}`", "give every port its own name", ProblemCodes.Conflict);
            }

            if (!numbers.Add((port.Port, port.Protocol)))
            {
                spec.At("ports", i).Error($"duplicate port {port.Port}/{port.Protocol}", "keep it once", ProblemCodes.Conflict);
            }
        }
    }

    private static ServicePort ReadPort(ObjectReader reader)
    {
        reader.Accept("nodePort");
        var number = reader.Integer("port", 1, 65535);
        if (number is null && !reader.Has("port"))
        {
            reader.At("port").Error("`port` is required", "add the port that routes name", ProblemCodes.MissingField);
        }

        var name = reader.Text("name");
        if (!string.IsNullOrEmpty(name) && !Names.IsLabel(name))
        {
            reader.At("name").Error($"`{name}` is not a valid port name", "use lower-case letters, digits and inner `-`");
        }

        return new ServicePort
        {
            Port = number ?? 0,
            Name = name,
            TargetPort = reader.TextOrInteger("targetPort"),
            Protocol = reader.Enumerated("protocol", "TCP", ("TCP", "TCP"), ("UDP", "UDP"), ("SCTP", "SCTP")),
            AppProtocol = reader.Text("appProtocol"),
        };
    }
}
