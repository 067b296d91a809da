using System.Net;

namespace Portcullis.Resources.Reading;

/// <summary>Host names as Gateways and VirtualServices write them (routing.md §1.4, §2.1).</summary>
internal static class HostNames
{
    /// <summary>What is wrong with a name or wildcard name; <see langword="null"/> when nothing is.</summary>
    public static string? Wrong(ReadOnlySpan<char> host, bool shortNames, bool addresses)
    {
        if (host.IsEmpty)
        {
            return "the host is empty";
        }

        if (host is "*")
        {
            return null;
        }

        if (addresses && IPAddress.TryParse(host, out _))
        {
            return null;
        }

        var name = host is ['*', '.', ..] ? host[2..] : host;
        if (name.Contains('*'))
        {
            return $"a wildcard is allowed only as the whole left-most label, found `{host}`";
        }

        if (name.Contains(':'))
        {
            return $"a host has no port or scheme, found `{host}`";
        }

        if (!IsDomain(name))
        {
            return $"`{host}` is not a valid domain name";
        }

        return !shortNames && name.Length == host.Length && !name.Contains('.')
            ? $"short names (non FQDN) are not allowed, found `{host}`"
            : null;
    }

    /// <summary>A Gateway server's <c>[namespace/]dnsName</c>.</summary>
    public static string? WrongServerHost(ReadOnlySpan<char> entry)
    {
        var slash = entry.IndexOf('/');
        if (slash < 0)
        {
            return Wrong(entry, shortNames: false, addresses: true);
        }

        var ns = entry[..slash];
        return ns is "*" or "." or "~" || Names.IsLabel(ns)
            ? Wrong(entry[(slash + 1)..], shortNames: false, addresses: true)
            : $"`{ns}` is not `*`, `.`, `~` or a namespace";
    }

    /// <summary>Case is not significant, a final dot is allowed, and underscores occur in practice.</summary>
    private static bool IsDomain(ReadOnlySpan<char> name)
    {
        name = name.EndsWith(".") ? name[..^1] : name;
        if (name.Length is 0 or > 253)
        {
            return false;
        }

        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-')
            {
                return false;
            }

            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                {
                    return false;
                }
            }
        }

        return true;
    }
}
