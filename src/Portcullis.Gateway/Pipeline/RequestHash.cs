using System.Globalization;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>What a request is hashed by, for a cluster with <c>consistentHash</c> (routing.md §4.3).</summary>
internal static class RequestHash
{
    /// <param name="context">The request.</param>
    /// <param name="key">What to hash.</param>
    /// <param name="setCookie">The cookie to give to a client that has none; <see langword="null"/> for none.</param>
    /// <returns><see langword="null"/> when the request does not have the key.</returns>
    public static ulong? Of(GatewayContext context, HashKey key, out string? setCookie)
    {
        setCookie = null;
        var value = key.Kind switch
        {
            HashKeyKind.Header => context.Http.Request.Headers[key.Name] is { Count: > 0 } lines ? lines.ToString() : null,
            HashKeyKind.Cookie => Cookie(context, key.Name) ?? (key.CookieTtl is { } ttl ? NewCookie(key, ttl, out setCookie) : null),
            HashKeyKind.SourceAddress => context.RemoteAddress?.ToString(),
            _ => Parameter(context.Query, key.Name),
        };
        return value is null ? null : StableHash.Of(value);
    }

    private static string NewCookie(HashKey key, TimeSpan ttl, out string setCookie)
    {
        var value = Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
        var age = ttl > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $"; Max-Age={(long)ttl.TotalSeconds}") : "";
        var path = string.IsNullOrEmpty(key.CookiePath) ? "" : "; Path=" + key.CookiePath;
        setCookie = $"{key.Name}=\"{value}\"{age}{path}{key.CookieAttributes}; HttpOnly";
        return value;
    }

    private static string? Cookie(GatewayContext context, string name)
    {
        foreach (var line in context.Http.Request.Headers.Cookie)
        {
            foreach (var range in line.AsSpan().Split(';'))
            {
                var pair = line.AsSpan()[range].Trim();
                if (pair.StartsWith(name, StringComparison.Ordinal) && pair.Length > name.Length && pair[name.Length] == '=')
                {
                    return pair[(name.Length + 1)..].Trim('"').ToString();
                }
            }
        }

        return null;
    }

    /// <summary>The first value, as it came: nothing is percent-decoded.</summary>
    private static string? Parameter(ReadOnlySpan<char> query, string name)
    {
        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            if (pair.StartsWith(name, StringComparison.Ordinal) && (pair.Length == name.Length || pair[name.Length] == '='))
            {
                return pair.Length == name.Length ? "" : pair[(name.Length + 1)..].ToString();
            }
        }

        return null;
    }
}
