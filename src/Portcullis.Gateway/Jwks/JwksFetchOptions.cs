using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Portcullis.Jose;

namespace Portcullis.Gateway.Jwks;

/// <summary>How remote key sets are fetched and kept: the operator's settings, the same for every issuer.</summary>
public sealed record JwksFetchOptions
{
    /// <summary>Istio's variable for <see cref="RefreshInterval"/>: a Go duration such as <c>20m</c>.</summary>
    public const string RefreshIntervalVariable = "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL";

    /// <summary>
    /// Time between fetches of keys that arrive; each wait is shortened by up to a tenth, at random. At least 100 ms. Default 20 min, as at Istio.
    /// It is also how often tokens with an unknown <c>kid</c> may cause one fetch more.
    /// </summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Wait after the first failed refresh, doubled for each further one; never longer than a refresh interval. Default 1 min, as at Istio.</summary>
    public TimeSpan BackoffInitial { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest wait between failed refreshes while there are keys. Default 60 min, as at Istio.</summary>
    public TimeSpan BackoffMaximum { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>Wait after the first failed fetch of a source that has no keys, doubled for each further one. Default 1 s.</summary>
    public TimeSpan EmptyBackoffInitial { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait while there are no keys: tokens of the issuer are refused all the while. Default 1 min.</summary>
    public TimeSpan EmptyBackoffMaximum { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long keys stay in use after the last successful fetch, a restart with <see cref="StateDirectory"/> included. Default 7 days.</summary>
    public TimeSpan KeepKeys { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Longest body of a key set or discovery document, in bytes. At most and by default 1 MiB.</summary>
    public int MaxBodyBytes { get; init; } = JsonWebKeySet.MaxLength;

    /// <summary>Fetches started at once; one that takes longer than a second no longer counts, so that servers that hang hold nobody up. Default 32.</summary>
    public int ConcurrentFetches { get; init; } = 32;

    /// <summary>Folder in which the last good keys survive a restart; <see langword="null"/> (default) keeps none.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Whether key servers may have loopback and private addresses (RFC 1918, RFC 4193, RFC 6598). Default <see langword="true"/>.</summary>
    public bool AllowPrivateAddresses { get; init; } = true;

    /// <summary>Addresses that are never connected to, besides link-local and cloud metadata ones, which always are refused. Default none.</summary>
    public ImmutableArray<IPNetwork> BlockedNetworks { get; init; } = [];

    /// <summary>Certificate authorities trusted besides the system's, for every key server. Default none.</summary>
    public ImmutableArray<X509Certificate2> ExtraAuthorities { get; init; } = [];

    /// <summary>Finds the addresses of a host name; <see langword="null"/> (default) asks the system.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>>? ResolveHost { get; init; }

    /// <summary>The defaults with what the environment says.</summary>
    /// <param name="read">Reads an environment variable.</param>
    /// <param name="problem">What is wrong with the environment, for the operator; the default counts then.</param>
    public static JwksFetchOptions FromEnvironment(Func<string, string?> read, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(read);

        problem = null;
        var options = new JwksFetchOptions();
        if (read(RefreshIntervalVariable) is not { Length: > 0 } text)
        {
            return options;
        }

        if (!GoDuration.TryParse(text, out var interval) || interval < MinRefreshInterval || interval > MaxInterval)
        {
            problem = $"{RefreshIntervalVariable}: `{text}` is not a duration from 100ms to 720h; write it as 20m or 1h30m";
            return options;
        }

        return options with { RefreshInterval = interval };
    }

    internal static readonly TimeSpan MinRefreshInterval = TimeSpan.FromMilliseconds(100);
    internal static readonly TimeSpan MaxInterval = TimeSpan.FromDays(30);

    /// <summary>Refuses what no run could honour; each names its property.</summary>
    internal void Validate()
    {
        InRange(RefreshInterval, MinRefreshInterval, nameof(RefreshInterval));
        InRange(BackoffInitial, MinRefreshInterval, nameof(BackoffInitial));
        InRange(BackoffMaximum, BackoffInitial, nameof(BackoffMaximum));
        InRange(EmptyBackoffInitial, MinRefreshInterval, nameof(EmptyBackoffInitial));
        InRange(EmptyBackoffMaximum, EmptyBackoffInitial, nameof(EmptyBackoffMaximum));
        ArgumentOutOfRangeException.ThrowIfLessThan(KeepKeys, TimeSpan.Zero, nameof(KeepKeys));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBodyBytes, 1024, nameof(MaxBodyBytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxBodyBytes, JsonWebKeySet.MaxLength, nameof(MaxBodyBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(ConcurrentFetches, 1, nameof(ConcurrentFetches));
    }

    private static void InRange(TimeSpan value, TimeSpan minimum, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxInterval, name);
    }
}
