using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>tls</c> and <c>tcp</c> rules (routing.md §2.16).</summary>
internal static class L4RouteReader
{
    public static TlsRoute ReadTls(ObjectReader reader)
    {
        var route = new TlsRoute { Match = reader.List("match", static (r, _) => ReadMatch(r, isTls: true)), Route = Routes(reader) };
        if (route.Match.IsEmpty)
        {
            reader.At("match").Error("TLS route must have at least one SNI match", "add match with sniHosts", ProblemCodes.MissingField);
        }

        return route;
    }

    public static TcpRoute ReadTcp(ObjectReader reader) =>
        new() { Match = reader.List("match", static (r, _) => ReadMatch(r, isTls: false)), Route = Routes(reader) };

    private static L4Match ReadMatch(ObjectReader reader, bool isTls)
    {
        var hosts = isTls ? reader.Texts("sniHosts", static (host, place) =>
        {
            if (HostNames.Wrong(host, shortNames: false, addresses: false) is { } wrong)
            {
                place.Error(wrong, "write a full name or *.suffix");
            }
        }) : [];
        if (isTls && hosts.IsEmpty)
        {
            reader.At("sniHosts").Error("TLS match must have at least one SNI host", "add sniHosts", ProblemCodes.MissingField);
        }

        if (!isTls)
        {
            reader.Accept("sourceSubnet");
        }

        return new L4Match
        {
            SniHosts = hosts,
            DestinationSubnets = reader.Texts("destinationSubnets", Addresses.Check),
            Port = reader.Integer("port", 1, 65535),
            SourceLabels = reader.TextMap("sourceLabels"),
            Gateways = reader.Texts("gateways", VirtualServiceReader.CheckGateway),
            SourceNamespace = reader.Text("sourceNamespace"),
        };
    }

    private static ImmutableArray<RouteDestination> Routes(ObjectReader reader)
    {
        var routes = reader.List("route", static (r, _) => new RouteDestination(
            r.Object("destination", HttpRouteReader.ReadTarget, required: true) ?? new Destination { Host = "" },
            r.Integer("weight", 0, int.MaxValue) ?? 0));
        if (routes.IsEmpty)
        {
            reader.At("route").Error("route is required", "add route with a destination", ProblemCodes.MissingField);
        }
        else if (routes.Length > 1 && routes.All(r => r.Weight == 0))
        {
            reader.At("route").Error("total destination weight = 0", "give the destinations weights");
        }

        return routes;
    }
}
