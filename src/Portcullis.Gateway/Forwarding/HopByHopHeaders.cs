using System.Collections.Frozen;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Headers that belong to one connection and are never passed on (RFC 9110 §7.6.1).</summary>
internal static class HopByHopHeaders
{
    private static readonly FrozenSet<string> Names = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "te",
        "http2-settings");

    public static bool Contains(string name) => Names.Contains(name);

    /// <summary>Whether a <c>Connection</c> header names the header, other than the ones that it may always name.</summary>
    public static bool IsNamedBy(Microsoft.Extensions.Primitives.StringValues connection, string name)
    {
        foreach (var line in connection)
        {
            foreach (var part in line.AsSpan().Split(','))
            {
                if (line.AsSpan()[part].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
