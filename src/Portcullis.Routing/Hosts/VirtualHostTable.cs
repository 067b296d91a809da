using System.Collections.Immutable;

namespace Portcullis.Routing;

/// <summary>The virtual hosts of a listener (or of one TLS server of it).</summary>
public sealed class VirtualHostTable
{
    private readonly HostTable<VirtualHost> _table;

    internal VirtualHostTable(ImmutableArray<VirtualHost> hosts)
    {
        All = hosts;
        _table = new(hosts.Select(h => KeyValuePair.Create(h.Domain, h)));
    }

    /// <summary>No host: every request is answered 404.</summary>
    public static VirtualHostTable Empty { get; } = new([]);

    /// <summary>All hosts, in the order in which the configuration first names them.</summary>
    public ImmutableArray<VirtualHost> All { get; }

    /// <summary>
    /// The virtual host of a Host header or <c>:authority</c>: its port cut off, case ignored; exact, then the longest wildcard, then
    /// <c>*</c>. There is no fall-back from a host found to a wider one. Allocates nothing.
    /// </summary>
    /// <returns><see langword="null"/>: 404, <c>NR</c>, <c>route_not_found</c>.</returns>
    public VirtualHost? Find(ReadOnlySpan<char> authority) => _table.Find(HostName.WithoutPort(authority));
}
