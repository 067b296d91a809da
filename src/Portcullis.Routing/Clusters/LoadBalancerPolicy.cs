using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>How an endpoint is chosen.</summary>
public enum LoadBalancerKind
{
    /// <summary>The less busy of two random ones; the default.</summary>
    LeastRequest,

    /// <summary>In turn.</summary>
    RoundRobin,

    /// <summary>At random.</summary>
    Random,

    /// <summary>Ring hash of <see cref="LoadBalancerPolicy.Key"/>.</summary>
    RingHash,

    /// <summary>Maglev table of <see cref="LoadBalancerPolicy.Key"/>.</summary>
    Maglev,
}

/// <summary>What is hashed.</summary>
public enum HashKeyKind
{
    /// <summary>A request header.</summary>
    Header,

    /// <summary>A cookie; one is made when its <see cref="HashKey.CookieTtl"/> is set.</summary>
    Cookie,

    /// <summary>The trusted client address.</summary>
    SourceAddress,

    /// <summary>A query parameter.</summary>
    QueryParameter,
}

/// <summary>What a request is hashed by; a request without it goes to a random endpoint.</summary>
/// <param name="Kind">What is hashed.</param>
/// <param name="Name">Header, cookie or parameter; empty for the address.</param>
/// <param name="CookiePath">Path of a generated cookie.</param>
/// <param name="CookieTtl">Life of a generated cookie; zero ends with the session; <see langword="null"/>: none is generated.</param>
/// <param name="CookieAttributes">Further attributes of a generated cookie, as they are sent: <c>; SameSite=Lax</c>.</param>
public sealed record HashKey(HashKeyKind Kind, string Name, string? CookiePath = null, TimeSpan? CookieTtl = null, string CookieAttributes = "");

/// <summary>Load balancing of a cluster (routing.md §4.3).</summary>
public sealed record LoadBalancerPolicy
{
    private const int DefaultRingSize = 1024;
    private const int DefaultTableSize = 65537;

    /// <summary>The default.</summary>
    public static LoadBalancerPolicy LeastRequest { get; } = new();

    /// <summary>How an endpoint is chosen.</summary>
    public LoadBalancerKind Kind { get; init; }

    /// <summary>What is hashed; set for the two hashing kinds.</summary>
    public HashKey? Key { get; init; }

    /// <summary>Least number of ring entries, or the size of the Maglev table.</summary>
    public int HashTableSize { get; init; }

    /// <summary>Slow start of new endpoints; <see langword="null"/> is none.</summary>
    public Warmup? Warmup { get; init; }

    internal static LoadBalancerPolicy From(LoadBalancerSettings? written)
    {
        if (written is null)
        {
            return LeastRequest;
        }

        if (written.ConsistentHash is { } hash && KeyOf(hash) is { } key)
        {
            return new()
            {
                Kind = hash.MaglevTableSize is null ? LoadBalancerKind.RingHash : LoadBalancerKind.Maglev,
                Key = key,
                HashTableSize = hash.MaglevTableSize is { } size ? (size > 0 ? size : DefaultTableSize)
                    : hash.MinimumRingSize is > 0 and var ring ? ring : DefaultRingSize,
            };
        }

        return new()
        {
            // PASSTHROUGH sends to the original destination, which an ingress does not have.
            Kind = written.Simple switch
            {
                "ROUND_ROBIN" => LoadBalancerKind.RoundRobin,
                "RANDOM" => LoadBalancerKind.Random,
                _ => LoadBalancerKind.LeastRequest,
            },
            Warmup = written.Simple == "RANDOM" ? null : written.Warmup,
        };
    }

    private static HashKey? KeyOf(ConsistentHash hash) => hash switch
    {
        { HttpHeaderName: { Length: > 0 } header } => new(HashKeyKind.Header, header),
        { HttpCookie: { } cookie } => new(
            HashKeyKind.Cookie, cookie.Name, cookie.Path, cookie.Ttl,
            string.Concat(cookie.Attributes.Select(a => string.IsNullOrEmpty(a.Value) ? $"; {a.Key}" : $"; {a.Key}={a.Value}"))),
        { UseSourceIp: true } => new(HashKeyKind.SourceAddress, ""),
        { HttpQueryParameterName: { Length: > 0 } parameter } => new(HashKeyKind.QueryParameter, parameter),
        _ => null,
    };
}
