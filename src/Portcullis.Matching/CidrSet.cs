using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Portcullis.Matching;

/// <summary>
/// Addresses and CIDR blocks, joined into ranges: a look-up is a binary search and allocates nothing. IPv4 blocks hold IPv4 addresses only, and IPv6 blocks IPv6
/// ones; an IPv4 address in IPv6 clothes (<c>::ffff:10.0.0.1</c>, what a dual-stack socket reports) is an IPv4 address, as a peer and in a block.
/// </summary>
public sealed class CidrSet
{
    private static readonly UInt128 MappedPrefix = (UInt128)0xFFFF << 32;
    private readonly (UInt128 First, UInt128 Last)[] _v4;
    private readonly (UInt128 First, UInt128 Last)[] _v6;

    /// <param name="blocks">The blocks; none matches no address.</param>
    public CidrSet(params ReadOnlySpan<CidrBlock> blocks)
    {
        var v4 = new List<(UInt128 First, UInt128 Last)>();
        var v6 = new List<(UInt128 First, UInt128 Last)>();
        foreach (var block in blocks)
        {
            (block.IsIPv4 ? v4 : v6).Add((block.First, block.Last));
        }

        _v4 = Join(v4);
        _v6 = Join(v6);
    }

    /// <summary>Whether the address is in any of the blocks; no address (<see langword="null"/>) never is.</summary>
    public bool Contains(IPAddress? address) =>
        address is not null && TryRead(address, out var value, out var isIPv4) && Contains(isIPv4 ? _v4 : _v6, value);

    /// <summary>The address as a number, IPv4 in its 32 bits.</summary>
    internal static bool TryRead(IPAddress address, out UInt128 value, out bool isIPv4)
    {
        Span<byte> bytes = stackalloc byte[16];
        value = default;
        isIPv4 = address.AddressFamily == AddressFamily.InterNetwork;
        if (!address.TryWriteBytes(bytes, out _))
        {
            return false;
        }

        value = isIPv4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
        if (!isIPv4 && value >> 32 == 0xFFFF)
        {
            value -= MappedPrefix;
            isIPv4 = true;
        }

        return true;
    }

    private static bool Contains((UInt128 First, UInt128 Last)[] ranges, UInt128 value)
    {
        var low = 0;
        var high = ranges.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (value < ranges[middle].First)
            {
                high = middle - 1;
            }
            else if (value > ranges[middle].Last)
            {
                low = middle + 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private static (UInt128 First, UInt128 Last)[] Join(List<(UInt128 First, UInt128 Last)> ranges)
    {
        ranges.Sort();
        var joined = new List<(UInt128 First, UInt128 Last)>();
        foreach (var range in ranges)
        {
            if (joined.Count > 0 && range.First <= joined[^1].Last)
            {
                joined[^1] = (joined[^1].First, UInt128.Max(joined[^1].Last, range.Last));
            }
            else
            {
                joined.Add(range);
            }
        }

        return [.. joined];
    }
}

/// <summary>One address or CIDR block; host bits are masked off.</summary>
public readonly record struct CidrBlock
{
    private CidrBlock(UInt128 first, UInt128 last, bool isIPv4) => (First, Last, IsIPv4) = (first, last, isIPv4);

    internal UInt128 First { get; }

    internal UInt128 Last { get; }

    internal bool IsIPv4 { get; }

    /// <summary>Whether every address of another block is in this one.</summary>
    public bool Covers(CidrBlock other) => IsIPv4 == other.IsIPv4 && First <= other.First && other.Last <= Last;

    /// <summary>Reads <c>10.0.0.1</c>, <c>10.0.0.0/8</c>, <c>::1</c> or <c>2001:db8::/32</c>; an address alone is /32 or /128.</summary>
    /// <param name="text">Four decimal octets without leading zeros, or IPv6 text without a zone; then perhaps a prefix length.</param>
    /// <param name="block">The block.</param>
    /// <param name="reason">What is wrong; starts in lower case, no final stop.</param>
    public static bool TryParse(string text, out CidrBlock block, [NotNullWhen(false)] out string? reason)
    {
        block = default;
        var slash = text.IndexOf('/');
        if (!TryParseAddress(slash < 0 ? text : text[..slash], out var address))
        {
            reason = $"`{text}` is not an IP address or CIDR block";
            return false;
        }

        CidrSet.TryRead(address, out var value, out var isIPv4);
        var mapped = isIPv4 && address.AddressFamily == AddressFamily.InterNetworkV6;
        var bits = isIPv4 && !mapped ? 32 : 128;
        var length = bits;
        if (slash >= 0)
        {
            var digits = text.AsSpan(slash + 1);
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > bits || (digits.Length > 1 && digits[0] == '0'))
            {
                reason = $"the prefix length of `{text}` must be a number from 0 to {bits}";
                return false;
            }
        }

        if (mapped)
        {
            if (length < 96)
            {
                reason = $"`{text}` mixes IPv4 and IPv6: write the IPv4 block itself";
                return false;
            }

            (length, bits) = (length - 96, 32);
        }

        var host = length == bits ? UInt128.Zero : UInt128.MaxValue >> (128 - (bits - length));
        block = new CidrBlock(value & ~host, value | host, isIPv4);
        reason = null;
        return true;
    }

    /// <summary>Reads a bare address: four decimal octets, or IPv6 without brackets and zone.</summary>
    public static bool TryParseAddress(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        ArgumentNullException.ThrowIfNull(text);
        address = null;
        return (text.Contains(':') ? text.AsSpan().IndexOfAny('%', '[') < 0 : IsDottedQuad(text)) && IPAddress.TryParse(text, out address);
    }

    /// <summary>The BCL also reads <c>1</c>, <c>0x7f.1</c> and octal octets, which no author of a policy means.</summary>
    private static bool IsDottedQuad(string text)
    {
        var octets = 0;
        foreach (var range in text.AsSpan().Split('.'))
        {
            var octet = text.AsSpan(range);
            octets++;
            if (!byte.TryParse(octet, NumberStyles.None, CultureInfo.InvariantCulture, out _) || (octet.Length > 1 && octet[0] == '0'))
            {
                return false;
            }
        }

        return octets == 4;
    }
}
