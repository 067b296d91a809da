using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

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

    /// <summary>What no client can take out of a request.</summary>
    private static readonly FrozenSet<string> Framing = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, "host", "content-length", "expect");

    public static bool Contains(string name) => Names.Contains(name);

    /// <summary>
    /// Removes what the client says belongs to its connection (<c>Connection: x-hop</c>): before any policy looks, so that policies, authorizers and the backend
    /// see the same request, and headers that the gateway sets later are not taken away by a client's naming them.
    /// </summary>
    public static void RemoveNominated(IHeaderDictionary headers)
    {
        foreach (var line in headers.Connection)
        {
            if (line is null || IsPlain(line))
            {
                continue;
            }

            foreach (var part in line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!Contains(part) && !Framing.Contains(part))
                {
                    headers.Remove(part);
                }
            }
        }
    }

    private static bool IsPlain(string connection) =>
        connection.Equals("keep-alive", StringComparison.OrdinalIgnoreCase)
        || connection.Equals("close", StringComparison.OrdinalIgnoreCase)
        || connection.Equals("upgrade", StringComparison.OrdinalIgnoreCase);
}
