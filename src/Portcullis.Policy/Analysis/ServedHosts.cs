namespace Portcullis.Policy.Analysis;

/// <summary>All hosts of the Gateways' servers, to ask which values of <c>hosts</c> can meet a request.</summary>
internal sealed class ServedHosts
{
    private readonly HashSet<string> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _suffixes = new(StringComparer.OrdinalIgnoreCase);
    private readonly bool _any;

    public ServedHosts(IEnumerable<string> hosts)
    {
        foreach (var host in hosts)
        {
            _any |= host == "*";
            _ = host.StartsWith('*') ? _suffixes.Add(host[1..]) : _exact.Add(host);
        }
    }

    /// <summary>Whether some host that is served matches a value such as <c>h</c>, <c>h:8443</c>, <c>h:*</c>, <c>*.h</c> or <c>h*</c>.</summary>
    public bool CanMatch(string value)
    {
        if (_any || value is "*" || value.StartsWith('['))
        {
            return true;
        }

        var name = value.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? value[..colon] : value;
        name = name.TrimEnd('.');
        if (name.StartsWith('*'))
        {
            var end = name[1..];
            return _exact.Any(h => h.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                || _suffixes.Any(s => s.EndsWith(end, StringComparison.OrdinalIgnoreCase) || end.EndsWith(s, StringComparison.OrdinalIgnoreCase));
        }

        if (name.EndsWith('*'))
        {
            return _suffixes.Count > 0 || _exact.Any(h => h.StartsWith(name[..^1], StringComparison.OrdinalIgnoreCase));
        }

        if (_exact.Contains(name))
        {
            return true;
        }

        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot > 0; dot = name.IndexOf('.', dot + 1))
        {
            if (_suffixes.Contains(name[dot..]))
            {
                return true;
            }
        }

        return false;
    }
}
