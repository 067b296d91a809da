using System.Net;
using Microsoft.Extensions.Primitives;
using Portcullis.Matching;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Who the client is, by X-Forwarded-For and the number of proxies in front that are trusted (routing.md §6.1).</summary>
internal static class ClientAddress
{
    /// <summary>An IPv4 peer on a dual-stack socket is reported as IPv4.</summary>
    public static IPAddress? Unmap(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    /// <summary>The N-th address from the right of the header as received; the peer when there is none or it is no bare address.</summary>
    public static IPAddress? Resolve(StringValues forwardedFor, int trustedProxies, IPAddress? peer)
    {
        if (trustedProxies <= 0)
        {
            return peer;
        }

        var remaining = trustedProxies;
        for (var line = forwardedFor.Count - 1; line >= 0; line--)
        {
            var rest = forwardedFor[line].AsSpan();
            while (true)
            {
                var comma = rest.LastIndexOf(',');
                var entry = rest[(comma + 1)..].Trim();
                if (--remaining == 0)
                {
                    return CidrBlock.TryParseAddress(entry.ToString(), out var found) ? Unmap(found) : peer;
                }

                if (comma < 0)
                {
                    break;
                }

                rest = rest[..comma];
            }
        }

        return peer;
    }
}
