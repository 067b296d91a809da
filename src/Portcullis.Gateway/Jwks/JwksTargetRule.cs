using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Portcullis.Gateway.Jwks;

/// <summary>
/// Which addresses a key fetch may connect to (authentication.md §9 and §15, SSRF). Asked after name resolution, for every connection: discovery, keys,
/// each redirect, a proxy. An IPv4 address inside of an IPv6 one (mapped, compatible, NAT64, 6to4) counts as both.
/// </summary>
internal sealed class JwksTargetRule(JwksFetchOptions options)
{
    /// <summary>Link-local, "this network", multicast, broadcast, and the metadata services of clouds outside of link-local.</summary>
    private static readonly ImmutableArray<IPNetwork> AlwaysRefused = Networks(
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
        "::/128", "fe80::/10", "ff00::/8", "fd00:ec2::254/128", "fd20:ce::254/128");

    private static readonly ImmutableArray<IPNetwork> Private = Networks(
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "::1/128", "fc00::/7", "fec0::/10");

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    private readonly ImmutableArray<IPNetwork> _blocked = options.BlockedNetworks;
    private readonly bool _allowPrivate = options.AllowPrivateAddresses;

    /// <summary>Whether a connection to the address may be made.</summary>
    public bool Allows(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return !IsRefused(address) && (Embedded(address) is not { } inner || !IsRefused(inner));
    }

    private bool IsRefused(IPAddress address) =>
        Contains(AlwaysRefused, address) || Contains(_blocked, address) || (!_allowPrivate && Contains(Private, address));

    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IPv6Loopback.Equals(address))
        {
            return null;
        }

        ReadOnlySpan<byte> bytes = address.GetAddressBytes();
        return SixToFour.Contains(address) ? new IPAddress(bytes[2..6])
            : Nat64.Contains(address) || Compatible.Contains(address) ? new IPAddress(bytes[12..])
            : null;
    }

    private static bool Contains(ImmutableArray<IPNetwork> networks, IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static ImmutableArray<IPNetwork> Networks(params ReadOnlySpan<string> texts)
    {
        var networks = ImmutableArray.CreateBuilder<IPNetwork>(texts.Length);
        foreach (var text in texts)
        {
            networks.Add(IPNetwork.Parse(text));
        }

        return networks.MoveToImmutable();
    }
}
