using System.Globalization;
using System.Net;

namespace Portcullis.Resources.Reading;

/// <summary>IP addresses, CIDR blocks and ports, with Istio's words for the bad ones (authorization.md §7.1).</summary>
internal static class Addresses
{
    public static void Check(string value, Place place)
    {
        if (WrongBlock(value) is { } wrong)
        {
            place.Error(wrong, "write an address such as 10.1.2.3 or 2001:db8::1, or a block such as 10.1.0.0/16");
        }
    }

    /// <summary>What is wrong with an address or block; <see langword="null"/> when nothing is.</summary>
    public static string? WrongBlock(string value)
    {
        var slash = value.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return IsAddress(value) ? null : $"bad IP address ({value})";
        }

        if (!IsAddress(value.AsSpan(0, slash)))
        {
            return $"bad CIDR range ({value}): `{value[..slash]}` is not an address";
        }

        var max = value.Contains(':', StringComparison.Ordinal) ? 128 : 32;
        return int.TryParse(value.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits <= max
            && (value.Length - slash == 2 || value[slash + 1] != '0')
            ? null
            : $"bad CIDR range ({value}): the prefix length must be within 0 and {max}";
    }

    /// <summary>Strict: four decimal parts or a full IPv6 address without zone; what inet_aton takes besides is refused.</summary>
    public static bool IsAddress(ReadOnlySpan<char> value)
    {
        if (!IPAddress.TryParse(value, out _) || value.ContainsAny('%', '[', ']'))
        {
            return false;
        }

        if (value.Contains(':'))
        {
            return true;
        }

        var parts = 0;
        foreach (var range in value.Split('.'))
        {
            var part = value[range];
            parts++;
            if (part.IsEmpty || (part.Length > 1 && part[0] == '0') || part.ContainsAnyExceptInRange('0', '9'))
            {
                return false;
            }
        }

        return parts == 4;
    }

    public static void CheckPort(string value, Place place)
    {
        if (WrongPort(value) is { } wrong)
        {
            place.Error(wrong, "write a decimal port such as \"8080\"");
        }
    }

    public static string? WrongPort(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535
            ? null
            : $"bad port ({value}): not a number within 0 and 65535";
}
