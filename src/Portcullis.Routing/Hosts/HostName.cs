using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Portcullis.Routing;

/// <summary>Host names as Gateways and VirtualServices write them: an FQDN, <c>*.suffix</c>, or <c>*</c>.</summary>
internal static class HostName
{
    public const string Any = "*";

    public static bool IsWildcard(string host) => host is ['*', ..];

    /// <summary>Whether every name that <paramref name="narrow"/> stands for is one of <paramref name="wide"/>.</summary>
    public static bool Covers(string wide, string narrow)
    {
        if (!IsWildcard(wide))
        {
            return wide == narrow;
        }

        var suffix = wide.AsSpan(1);
        return IsWildcard(narrow)
            ? narrow.AsSpan(1).EndsWith(suffix, StringComparison.Ordinal)
            : narrow.Length > suffix.Length && narrow.AsSpan().EndsWith(suffix, StringComparison.Ordinal);
    }

    /// <summary>The narrower of two that overlap; <see langword="null"/> when they have no name in common (routing.md §2.1).</summary>
    public static string? Intersect(string first, string second) =>
        Covers(first, second) ? second : Covers(second, first) ? first : null;

    /// <summary>A name without a dot is a service of the namespace; <c>*</c> and addresses stay as they are.</summary>
    public static string Expand(string host, string @namespace, string clusterDomain) =>
        host.Length == 0 || host.Contains('.', StringComparison.Ordinal) || host[0] == '*' || TryParseAddress(host, out _)
            ? host
            : $"{host}.{@namespace}.svc.{clusterDomain}";

    /// <summary>An IP address in its full form; .NET alone would also read <c>1</c> and <c>10.1</c> as one.</summary>
    public static bool TryParseAddress(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        return (text.Contains(':', StringComparison.Ordinal) || text.AsSpan().Count('.') == 3) && IPAddress.TryParse(text, out address);
    }

    /// <summary>The key of a virtual host: lower case, an IPv6 address in brackets as clients send it.</summary>
    public static string Normalize(string host) =>
        host.Contains(':', StringComparison.Ordinal) && host[0] != '[' && TryParseAddress(host, out _)
            ? $"[{host.ToLowerInvariant()}]"
            : host.ToLowerInvariant();

    /// <summary>An authority without its port (<c>[::1]:80</c> → <c>[::1]</c>).</summary>
    public static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> authority)
    {
        var colon = authority.LastIndexOf(':');
        if (colon < 0 || authority[colon..].Contains(']'))
        {
            return authority;
        }

        foreach (var c in authority[(colon + 1)..])
        {
            if (!char.IsAsciiDigit(c))
            {
                return authority;
            }
        }

        return authority[..colon];
    }
}
