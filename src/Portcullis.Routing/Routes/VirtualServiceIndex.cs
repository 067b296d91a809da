using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>A VirtualService that this gateway sees, names expanded and delegates put in.</summary>
internal sealed class BoundVirtualService(VirtualService resource, ImmutableArray<string> hosts, ExportScope scope)
{
    public VirtualService Resource { get; } = resource;

    /// <summary>Keys of virtual hosts.</summary>
    public ImmutableArray<string> Hosts { get; } = hosts;

    public ExportScope Scope { get; } = scope;

    public ImmutableArray<HttpRule> Rules { get; set; } = [];
}

/// <summary>One rule of a VirtualService, destinations and gateways as full names.</summary>
/// <param name="Owner">The VirtualService that holds it: with a delegate, the delegate.</param>
/// <param name="Index">In <c>spec.http</c> of the owner.</param>
/// <param name="Route">The rule.</param>
internal sealed record HttpRule(VirtualService Owner, int Index, HttpRoute Route)
{
    private string? _fieldPath;

    /// <summary>For problem reports.</summary>
    public string FieldPath => _fieldPath ??= $"spec.http[{Index}]";
}

/// <summary>VirtualServices by the Gateway that they are bound to (routing.md §2.1, §2.2).</summary>
internal sealed class VirtualServiceIndex
{
    private readonly Dictionary<string, List<BoundVirtualService>> _byGateway = new(StringComparer.Ordinal);

    public VirtualServiceIndex(ResourceSet set, WorkloadIdentity workload, MeshTraffic mesh, ProblemReporter problems)
    {
        var gateways = set.OfType<Gateway>().Select(GatewayId).ToHashSet(StringComparer.Ordinal);
        var delegates = new Delegation(set, workload.ClusterDomain, mesh.VirtualServiceExportTo, problems);
        foreach (var resource in set.OfType<VirtualService>())
        {
            var ns = resource.Metadata.Namespace;
            var scope = Visibility.To(workload.Namespace, resource.ExportTo, mesh.VirtualServiceExportTo, ns);
            if (resource.Hosts.IsEmpty || scope == ExportScope.None)
            {
                continue;
            }

            var hosts = resource.Hosts.Select(h => HostName.Normalize(HostName.Expand(h, ns, workload.ClusterDomain)));
            var bound = new BoundVirtualService(resource, [.. hosts], scope);
            for (var i = 0; i < resource.Gateways.Length; i++)
            {
                var id = ResolveGateway(resource.Gateways[i], ns);
                if (gateways.Contains(id))
                {
                    (_byGateway.TryGetValue(id, out var list) ? list : _byGateway[id] = []).Add(bound);
                }
                else if (id != Mesh)
                {
                    problems.Warning(
                        resource, $"spec.gateways[{i}]", ProblemCodes.DanglingReference, $"there is no Gateway `{id}`",
                        "name an existing Gateway as NAMESPACE/NAME");
                }
            }

            bound.Rules = delegates.RulesOf(resource);
        }

        foreach (var list in _byGateway.Values)
        {
            // Stable: inside a group the set's order, oldest first, stays.
            var ordered = list.OrderBy(v => v.Scope).ToList();
            list.Clear();
            list.AddRange(ordered.Distinct());
        }
    }

    private const string Mesh = "mesh";

    /// <summary><c>namespace/name</c>.</summary>
    public static string GatewayId(Gateway gateway) => $"{gateway.Metadata.Namespace}/{gateway.Metadata.Name}";

    /// <summary>A name as VirtualServices write it: <c>name</c>, <c>ns/name</c>, <c>./name</c>, or the old <c>name.ns.svc…</c>.</summary>
    public static string ResolveGateway(string written, string ownNamespace)
    {
        if (written == Mesh)
        {
            return written;
        }

        var slash = written.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            return written[..slash] == "." ? $"{ownNamespace}/{written[(slash + 1)..]}" : written;
        }

        return written.Split('.') is [var name, var ns, ..] ? $"{ns}/{name}" : $"{ownNamespace}/{written}";
    }

    /// <summary>In the order in which their routes are appended.</summary>
    public IReadOnlyList<BoundVirtualService> BoundTo(string gatewayId) => _byGateway.GetValueOrDefault(gatewayId, []);
}
