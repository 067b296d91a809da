using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace Portcullis.Gateway.Forwarding;

/// <summary>Headers that belong to one connection and are never passed on (RFC 9110 §7.6.1).</summary>
internal static class HopByHopHeaders
{
    /// <summary>What no client can take out of a request.</summary>
    private static readonly FrozenSet<string> Framing = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, "host", "content-length", "expect");

    public static bool Contains(string name) => name.Length switch
    {
        2 => Is(name, "te"),
        7 => Is(name, "upgrade"),
        10 => Is(name, "connection") || Is(name, "keep-alive"),
        14 => Is(name, "http2-settings"),
        16 => Is(name, "proxy-connection"),
        17 => Is(name, "transfer-encoding"),
        _ => false,
    };

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

    private static bool IsPlain(string connection) => Is(connection, "keep-alive") || Is(connection, "close") || Is(connection, "upgrade");

    private static bool Is(string name, string lower) => name.Equals(lower, StringComparison.OrdinalIgnoreCase);
}
