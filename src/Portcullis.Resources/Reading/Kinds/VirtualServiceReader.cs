namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates VirtualService (routing.md §2); the rules of <c>http</c> are read by <see cref="HttpRouteReader"/>.</summary>
internal static class VirtualServiceReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header) => root.ObjectOrEmpty("spec", spec =>
    {
        var hosts = spec.Texts("hosts", static (host, place) =>
        {
            if (HostNames.Wrong(host, shortNames: true, addresses: true) is { } wrong)
            {
                place.Error(wrong, "write a name, *.suffix or *; ports belong to the Gateway");
            }
        });
        var service = new VirtualService
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Hosts = hosts,
            Gateways = spec.Texts("gateways", static (name, place) => CheckGateway(name, place)),
            Http = spec.List("http", static (r, _) => HttpRouteReader.Read(r)),
            Tls = spec.List("tls", static (r, _) => L4RouteReader.ReadTls(r)),
            Tcp = spec.List("tcp", static (r, _) => L4RouteReader.ReadTcp(r)),
            ExportTo = ExportTo.Read(spec),
        };
        Check(spec, service);
        return service;
    });

    private static void Check(ObjectReader spec, VirtualService service)
    {
        if (service.Hosts.IsEmpty)
        {
            if (!service.Gateways.IsEmpty)
            {
                spec.At("hosts").Error("virtual service must have at least one host", "add hosts; only a delegate has neither hosts nor gateways", ProblemCodes.MissingField);
            }
            else if (!service.Tls.IsEmpty || !service.Tcp.IsEmpty)
            {
                spec.At(service.Tls.IsEmpty ? "tcp" : "tls").Error("delegate virtual service must have no tls or tcp", "add hosts, or move these rules to the root VirtualService");
            }
            else if (service.Http.Any(r => r.Delegate is not null))
            {
                spec.At("http").Error("delegate virtual service must not delegate again", "delegation goes one level deep");
            }
        }

        if (service.Http.IsEmpty && service.Tls.IsEmpty && service.Tcp.IsEmpty)
        {
            spec.Self.Error("http, tcp or tls must be provided in virtual service", "add http with at least one route", ProblemCodes.MissingField);
        }

        for (var i = 0; i < service.Hosts.Length; i++)
        {
            if (service.Hosts.IndexOf(service.Hosts[i]) < i)
            {
                spec.At("hosts", i).Error($"duplicate host: `{service.Hosts[i]}`", "keep it once", ProblemCodes.Conflict);
            }
        }
    }

    /// <summary><c>mesh</c>, <c>name</c>, <c>namespace/name</c>, <c>./name</c>, or the legacy <c>name.namespace.svc…</c>.</summary>
    public static void CheckGateway(string name, Place place)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var ns = slash < 0 ? "." : name[..slash];
        if (!Names.IsSubdomain(name.AsSpan(slash + 1)) || (ns != "." && !Names.IsLabel(ns)))
        {
            place.Error($"`{name}` is not the name of a gateway", "write name, namespace/name or mesh");
        }
    }
}
