using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Resources;

namespace Portcullis.Routing;

/// <summary>When a failed try is repeated (<c>retries.retryOn</c>).</summary>
[Flags]
public enum RetryConditions
{
    /// <summary>Never.</summary>
    None = 0,

    /// <summary><c>5xx</c>: any 5xx answer, reset, connect failure or timeout.</summary>
    ServerError = 1 << 0,

    /// <summary><c>gateway-error</c>: 502, 503, 504, and failures that would be answered so.</summary>
    GatewayError = 1 << 1,

    /// <summary><c>reset</c>: the backend did not answer, for any reason.</summary>
    Reset = 1 << 2,

    /// <summary><c>reset-before-request</c>: the same, before the request was sent.</summary>
    ResetBeforeRequest = 1 << 3,

    /// <summary><c>connect-failure</c>.</summary>
    ConnectFailure = 1 << 4,

    /// <summary><c>retriable-4xx</c>: 409.</summary>
    RetriableClientError = 1 << 5,

    /// <summary><c>refused-stream</c>: REFUSED_STREAM from the backend.</summary>
    RefusedStream = 1 << 6,

    /// <summary><c>retriable-status-codes</c>: one of <see cref="RetryPolicy.StatusCodes"/>, sent by the backend.</summary>
    StatusCodes = 1 << 7,

    /// <summary><c>retriable-headers</c>: never holds, as VirtualService cannot name the headers.</summary>
    RetriableHeaders = 1 << 8,

    /// <summary><c>envoy-ratelimited</c>: also when the answer carries <c>x-envoy-ratelimited</c>.</summary>
    RateLimited = 1 << 9,

    /// <summary><c>http3-post-connect-failure</c>: never holds without HTTP/3.</summary>
    Http3PostConnectFailure = 1 << 10,

    /// <summary><c>cancelled</c>: gRPC status 1 in the response headers.</summary>
    GrpcCancelled = 1 << 11,

    /// <summary><c>deadline-exceeded</c>: gRPC status 4.</summary>
    GrpcDeadlineExceeded = 1 << 12,

    /// <summary><c>internal</c>: gRPC status 13.</summary>
    GrpcInternal = 1 << 13,

    /// <summary><c>resource-exhausted</c>: gRPC status 8.</summary>
    GrpcResourceExhausted = 1 << 14,

    /// <summary><c>unavailable</c>: gRPC status 14.</summary>
    GrpcUnavailable = 1 << 15,
}

/// <summary>How a route retries (<c>retries</c>; routing.md §2.10).</summary>
public sealed record RetryPolicy
{
    /// <summary>Istio's default: two retries when nothing of the request has reached a backend, or gRPC says so.</summary>
    public static RetryPolicy Default { get; } = new()
    {
        Attempts = 2,
        RetryOn = RetryConditions.ConnectFailure | RetryConditions.RefusedStream | RetryConditions.GrpcUnavailable
            | RetryConditions.GrpcCancelled | RetryConditions.StatusCodes,
    };

    /// <summary>No retry.</summary>
    public static RetryPolicy Off { get; } = new();

    /// <summary>Retries besides the first try.</summary>
    public int Attempts { get; init; }

    /// <summary>Any of these.</summary>
    public RetryConditions RetryOn { get; init; }

    /// <summary>Sorted status codes; used with <see cref="RetryConditions.StatusCodes"/>.</summary>
    public ImmutableArray<int> StatusCodes { get; init; } = [];

    /// <summary>Limit for each try; <see langword="null"/> is none.</summary>
    public TimeSpan? PerTryTimeout { get; init; }

    /// <summary>Retry n waits a random time below (2ⁿ−1) times this.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>No wait is longer.</summary>
    public TimeSpan BackoffMax => BackoffBase * 10;

    /// <summary>A retry avoids the endpoints already tried (up to 5 picks); not with a consistent hash.</summary>
    public bool AvoidsPreviousEndpoints { get; init; } = true;

    /// <summary>Every second retry leaves the priorities of the endpoints tried so far (<c>retryRemoteLocalities</c>).</summary>
    public bool LeavesTriedLocalities { get; init; }

    /// <param name="written"><see langword="null"/> is the default.</param>
    /// <param name="timeout">The route's.</param>
    /// <param name="unknown">The first entry of <c>retryOn</c> that means nothing; it is left out.</param>
    internal static RetryPolicy Compile(HttpRetry? written, TimeSpan? timeout, out string? unknown)
    {
        unknown = null;
        if (written is null)
        {
            return Default;
        }

        if (written.Attempts <= 0)
        {
            return Off;
        }

        var (conditions, codes) = string.IsNullOrWhiteSpace(written.RetryOn)
            ? (Default.RetryOn, [])
            : Parse(written.RetryOn, out unknown);
        return new()
        {
            Attempts = written.Attempts,
            RetryOn = conditions,
            StatusCodes = codes,
            PerTryTimeout = written.PerTryTimeout is { Ticks: > 0 } limit && !(timeout <= limit) ? limit : null,
            BackoffBase = written.Backoff is { Ticks: > 0 } backoff ? backoff : Default.BackoffBase,
            AvoidsPreviousEndpoints = written.RetryIgnorePreviousHosts ?? true,
            LeavesTriedLocalities = written.RetryRemoteLocalities ?? false,
        };
    }

    private static (RetryConditions, ImmutableArray<int>) Parse(string retryOn, out string? unknown)
    {
        unknown = null;
        var conditions = RetryConditions.None;
        var codes = new SortedSet<int>();
        foreach (var entry in retryOn.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (int.TryParse(entry, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= 100 and <= 599)
            {
                codes.Add(code);
                conditions |= RetryConditions.StatusCodes;
            }
            else if (Named(entry) is { } condition)
            {
                conditions |= condition;
            }
            else
            {
                unknown ??= entry;
            }
        }

        return (conditions, [.. codes]);
    }

    private static RetryConditions? Named(string name) => name switch
    {
        "5xx" => RetryConditions.ServerError,
        "gateway-error" => RetryConditions.GatewayError,
        "reset" => RetryConditions.Reset,
        "reset-before-request" => RetryConditions.ResetBeforeRequest,
        "connect-failure" => RetryConditions.ConnectFailure,
        "retriable-4xx" => RetryConditions.RetriableClientError,
        "refused-stream" => RetryConditions.RefusedStream,
        "retriable-status-codes" => RetryConditions.StatusCodes,
        "retriable-headers" => RetryConditions.RetriableHeaders,
        "envoy-ratelimited" => RetryConditions.RateLimited,
        "http3-post-connect-failure" => RetryConditions.Http3PostConnectFailure,
        "cancelled" => RetryConditions.GrpcCancelled,
        "deadline-exceeded" => RetryConditions.GrpcDeadlineExceeded,
        "internal" => RetryConditions.GrpcInternal,
        "resource-exhausted" => RetryConditions.GrpcResourceExhausted,
        "unavailable" => RetryConditions.GrpcUnavailable,
        _ => null,
    };
}
