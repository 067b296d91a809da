using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>Finds the endpoints of a service port: EndpointSlices or Endpoints, inline ones of a ServiceEntry, WorkloadEntries and Pods by label.</summary>
internal sealed class EndpointCatalog
{
    private readonly ILookup<(string, string), EndpointSlice> _slices;
    private readonly Dictionary<(string, string), Endpoints> _endpoints = [];
    private readonly Dictionary<(string, string), Pod> _pods = [];
    private readonly Dictionary<string, Pod> _podsByAddress = new(StringComparer.Ordinal);
    private readonly ILookup<string, WorkloadEntry> _workloads;
    private readonly ILookup<string, Pod> _podsByNamespace;
    private readonly ProblemReporter _problems;
    private readonly string _region;

    /// <param name="set">All resources.</param>
    /// <param name="region">The gateway's: an EndpointSlice tells only the zone, and a cluster is of one region.</param>
    /// <param name="problems">Takes the reports.</param>
    public EndpointCatalog(ResourceSet set, string region, ProblemReporter problems)
    {
        (_region, _problems) = (region, problems);
        _slices = set.OfType<EndpointSlice>().Where(s => s.ServiceName is not null).ToLookup(s => (s.Metadata.Namespace, s.ServiceName!));
        _workloads = set.OfType<WorkloadEntry>().ToLookup(w => w.Metadata.Namespace);
        _podsByNamespace = set.OfType<Pod>().ToLookup(p => p.Metadata.Namespace);
        foreach (var endpoints in set.OfType<Endpoints>())
        {
            _endpoints.TryAdd((endpoints.Metadata.Namespace, endpoints.Metadata.Name), endpoints);
        }

        foreach (var pod in set.OfType<Pod>())
        {
            _pods.TryAdd((pod.Metadata.Namespace, pod.Metadata.Name), pod);
            foreach (var address in pod.PodIPs)
            {
                _podsByAddress.TryAdd(address, pod);
            }
        }
    }

    public ImmutableArray<ClusterEndpoint> Of(ServiceHost host, ServiceHostPort port)
    {
        var found = new Found();
        if (host.Resource is Service service)
        {
            OfService(service, port, found);
        }
        else if (host.Resource is ServiceEntry entry)
        {
            OfEntry(entry, host.Host, port, found);
        }

        return found.ToImmutable();
    }

    private void OfService(Service service, ServiceHostPort port, Found found)
    {
        var key = (service.Metadata.Namespace, service.Metadata.Name);
        var hasSlices = false;
        foreach (var slice in _slices[key])
        {
            hasSlices = true;
            if (slice.AddressType != "FQDN" && PortOf(slice.Ports, port) is { } number)
            {
                foreach (var endpoint in slice.Endpoints.Where(e => IsUsable(e, service.PublishNotReadyAddresses) && !e.Addresses.IsEmpty))
                {
                    var pod = PodOf(key.Namespace, endpoint.TargetName, endpoint.Addresses[0]);
                    var place = endpoint.Zone is { Length: > 0 } zone ? $"{endpoint.Region ?? _region}/{zone}" : endpoint.Region;
                    Add(found, slice, "endpoints", endpoint.Addresses[0], number, pod, place, endpoint.NodeName);
                }
            }
        }

        if (!hasSlices && _endpoints.TryGetValue(key, out var endpoints))
        {
            foreach (var subset in endpoints.Subsets)
            {
                if (PortOf(subset.Ports, port) is { } number)
                {
                    foreach (var address in service.PublishNotReadyAddresses ? subset.Addresses.AddRange(subset.NotReadyAddresses) : subset.Addresses)
                    {
                        Add(found, endpoints, "subsets", address, number, PodOf(key.Namespace, null, address), null);
                    }
                }
            }
        }

        if (!service.Selector.IsEmpty)
        {
            AddWorkloads(service, service.Selector, port, resolvesNames: false, found);
        }
    }

    private void OfEntry(ServiceEntry entry, string host, ServiceHostPort port, Found found)
    {
        var resolvesNames = entry.Resolution is ServiceEntryResolution.Dns or ServiceEntryResolution.DnsRoundRobin;
        if (entry.Resolution == ServiceEntryResolution.DynamicDns)
        {
            _problems.Error(entry, "spec.resolution", ProblemCodes.Unsupported, "`DYNAMIC_DNS` is not for a gateway; the host has no endpoint", "use `DNS`");
            return;
        }

        for (var i = 0; i < entry.Endpoints.Length; i++)
        {
            AddWorkload(entry, $"spec.endpoints[{i}].address", entry.Endpoints[i], entry.Endpoints[i].Labels, null, port, resolvesNames, host, found);
        }

        if (entry.WorkloadSelector is { } selector)
        {
            AddWorkloads(entry, selector, port, resolvesNames, found);
            foreach (var pod in _podsByNamespace[entry.Metadata.Namespace].Where(p => Labels.Contain(p.Metadata.Labels, selector) && !p.PodIPs.IsEmpty))
            {
                Add(found, pod, "status.podIP", pod.PodIPs[0], Number(port.TargetPort) ?? port.Number, pod, null);
            }
        }
        else if (resolvesNames && entry.Endpoints.IsEmpty)
        {
            found.Add(new() { Address = host, Port = Number(port.TargetPort) ?? port.Number });
        }
    }

    private void AddWorkloads(Resource owner, ImmutableDictionary<string, string> selector, ServiceHostPort port, bool resolvesNames, Found found)
    {
        foreach (var workload in _workloads[owner.Metadata.Namespace])
        {
            var labels = workload.Metadata.Labels.SetItems(workload.Spec.Labels);
            if (Labels.Contain(labels, selector))
            {
                AddWorkload(workload, "spec.address", workload.Spec, labels, workload.Metadata.Name, port, resolvesNames, null, found);
            }
        }
    }

    private void AddWorkload(
        Resource owner, string field, WorkloadEntrySpec spec, ImmutableDictionary<string, string> labels, string? name,
        ServiceHostPort port, bool resolvesNames, string? nameless, Found found)
    {
        var number = spec.Ports.TryGetValue(port.Name, out var given) ? given
            : port.TargetPort is { } target && spec.Ports.TryGetValue(target, out given) ? given
            : Number(port.TargetPort) ?? port.Number;
        var address = spec.Address ?? nameless ?? "";
        var locality = spec.Locality is { Length: > 0 } written ? written : Locality.LabelOf(labels);
        if (HostName.TryParseAddress(address, out var ip) || (resolvesNames && Uri.CheckHostName(address) == UriHostNameType.Dns))
        {
            found.Add(new()
            {
                Address = address,
                Port = number,
                Weight = spec.Weight is > 0 and var weight ? weight : 1,
                Labels = Locality.Parse(locality).AddTo(spec.Network is { Length: > 0 } network && !labels.ContainsKey(Locality.NetworkLabel) ? labels.Add(Locality.NetworkLabel, network) : labels),
                Locality = locality,
                Workload = name,
                IPAddress = ip,
            });
            return;
        }

        _problems.Error(
            owner, field, ProblemCodes.InvalidValue, $"`{address}` is not an IP address; the endpoint is left out",
            resolvesNames ? "write an IP address or a DNS name" : "write an IP address, or set the ServiceEntry's `resolution` to `DNS`");
    }

    private void Add(Found found, Resource owner, string field, string address, int port, Pod? pod, string? locality, string? node = null)
    {
        if (!HostName.TryParseAddress(address, out var ip))
        {
            _problems.Error(owner, field, ProblemCodes.InvalidValue, $"`{address}` is not an IP address; the endpoint is left out");
            return;
        }

        var labels = pod?.Metadata.Labels ?? ImmutableDictionary<string, string>.Empty;
        locality = Locality.LabelOf(labels) ?? locality;
        found.Add(new()
        {
            Address = address,
            Port = port,
            Labels = Locality.Parse(locality).AddTo(labels, node),
            Locality = locality,
            Workload = pod?.Metadata.Name,
            IPAddress = ip,
        });
    }

    private Pod? PodOf(string ns, string? name, string address) =>
        name is not null && _pods.TryGetValue((ns, name), out var pod) ? pod : _podsByAddress.GetValueOrDefault(address);

    /// <summary>Ready, or wanted even when not ready; never one that is going away.</summary>
    private static bool IsUsable(SliceEndpoint endpoint, bool alsoNotReady) => (endpoint.Ready != false || alsoNotReady) && endpoint.Terminating != true;

    private static int? PortOf(ImmutableArray<EndpointPort> ports, ServiceHostPort wanted)
    {
        foreach (var port in ports)
        {
            if ((port.Name ?? "") == wanted.Name && port.Protocol is "TCP" or "")
            {
                return port.Port ?? Number(wanted.TargetPort) ?? wanted.Number;
            }
        }

        return null;
    }

    private static int? Number(string? port) =>
        int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535 ? number : null;

    /// <summary>Endpoints found so far; an address and port that come twice (slices overlap while they are rewritten) count once.</summary>
    private sealed class Found
    {
        private readonly HashSet<(string, int)> _seen = [];
        private readonly ImmutableArray<ClusterEndpoint>.Builder _endpoints = ImmutableArray.CreateBuilder<ClusterEndpoint>();

        public void Add(ClusterEndpoint endpoint)
        {
            if (_seen.Add((endpoint.Address, endpoint.Port)))
            {
                _endpoints.Add(endpoint);
            }
        }

        public ImmutableArray<ClusterEndpoint> ToImmutable() => _endpoints.ToImmutable();
    }
}
