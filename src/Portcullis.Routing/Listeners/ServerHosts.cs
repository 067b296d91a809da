using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>The hosts of one server (<c>[namespace/]dnsName</c>), ready to be intersected with those of VirtualServices (routing.md §1.4, §2.1).</summary>
internal sealed class ServerHosts
{
    private readonly List<(string? Namespace, string Host)> _all = [];
    private readonly List<(string? Namespace, string Host)> _wildcards = [];
    private readonly ILookup<string, string?> _exact;

    public ServerHosts(ListenerServer server, ProblemReporter problems)
    {
        var gateway = server.Gateway;
        for (var i = 0; i < server.Server.Hosts.Length; i++)
        {
            var written = server.Server.Hosts[i];
            var slash = written.IndexOf('/', StringComparison.Ordinal);
            var host = HostName.Normalize(written[(slash + 1)..]);
            if (!IsValid(host))
            {
                problems.Error(
                    gateway, $"{server.FieldPath}.hosts[{i}]", ProblemCodes.InvalidValue,
                    $"`{written}` is not a host; it is left out", "write a full DNS name, `*.suffix` or `*`");
                continue;
            }

            var ns = slash < 0 ? "*" : written[..slash];
            _all.Add((ns switch { "*" => null, "." => gateway.Metadata.Namespace, _ => ns }, host));
        }

        _wildcards.AddRange(_all.Where(h => HostName.IsWildcard(h.Host)));
        _exact = _all.Where(h => !HostName.IsWildcard(h.Host)).ToLookup(h => h.Host, h => h.Namespace);
        Names = [.. _all.Select(h => h.Host).Distinct()];
    }

    /// <summary>Host names without their namespaces.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The names that this server serves for a VirtualService: of each overlapping pair the narrower one.</summary>
    public IReadOnlyCollection<string> Intersect(BoundVirtualService service)
    {
        var ns = service.Resource.Metadata.Namespace;
        var names = new List<string>(service.Hosts.Length);
        foreach (var host in service.Hosts)
        {
            if (_exact[host].Any(n => n is null || n == ns) && !names.Contains(host))
            {
                names.Add(host);
            }

            // An exact name can only meet the wildcards.
            foreach (var (only, own) in HostName.IsWildcard(host) ? _all : _wildcards)
            {
                if ((only is null || only == ns) && HostName.Intersect(own, host) is { } name && !names.Contains(name))
                {
                    names.Add(name);
                }
            }
        }

        return names;
    }

    private static bool IsValid(string host) => host switch
    {
        "*" => true,
        ['*', '.', _, ..] => !host.AsSpan(1).Contains('*'),
        ['*', ..] => false,
        _ => host.AsSpan().ContainsAny('.', ':') && !host.Contains('*', StringComparison.Ordinal) && host[0] != '.',
    };
}
