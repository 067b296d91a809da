using Portcullis.Routing;

namespace Portcullis.Gateway.Forwarding;

/// <summary>What a try says of its endpoint.</summary>
internal enum OutlierSignal
{
    /// <summary>An answer below 500.</summary>
    Success,

    /// <summary>A 5xx answer other than 502, 503 and 504.</summary>
    ServerError,

    /// <summary>A 502, 503 or 504 answer.</summary>
    GatewayError,

    /// <summary>No connection, a reset, or no answer in time: it was the gateway that found out.</summary>
    LocalOriginFailure,
}

/// <summary>What outlier detection remembers of one endpoint. Guarded by its detector.</summary>
internal sealed class OutlierState
{
    private long _ejectedUntil;

    /// <summary>Timestamp until which it is out of use; in the past, or 0, when it is in use.</summary>
    public long EjectedUntil
    {
        get => Volatile.Read(ref _ejectedUntil);
        set => Volatile.Write(ref _ejectedUntil, value);
    }

    public int Consecutive5xx { get; set; }

    public int ConsecutiveGateway { get; set; }

    public int ConsecutiveLocal { get; set; }

    /// <summary>Ejections in a row: how many times the base time the next one lasts, less one.</summary>
    public int Ejections { get; set; }
}

/// <summary>
/// Takes endpoints that fail in a row out of use for a while (routing.md §4.5; Envoy's consecutive detectors). One per cluster; lives as long as the cluster's name does.
/// </summary>
internal sealed class OutlierDetector(TimeProvider time, Action<string>? ejected = null)
{
    /// <summary>Envoy's <c>max_ejection_time</c>: no ejection is longer, but for a longer base time.</summary>
    private static readonly TimeSpan MaxEjectionTime = TimeSpan.FromSeconds(300);

    private readonly Lock _gate = new();
    private readonly long _start = time.GetTimestamp();
    private long _lastReturn;

    /// <summary>What a response says of its endpoint.</summary>
    /// <param name="policy">The cluster's.</param>
    /// <param name="status">Of the response.</param>
    public static OutlierSignal SignalOf(OutlierPolicy? policy, int status)
    {
        if (policy is { HttpErrorCodes: { IsEmpty: false } codes })
        {
            return codes.Contains(status) ? OutlierSignal.ServerError : OutlierSignal.Success;
        }

        return status is 502 or 503 or 504 ? OutlierSignal.GatewayError : status >= 500 ? OutlierSignal.ServerError : OutlierSignal.Success;
    }

    /// <summary>Now, in the clock's timestamps.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>Some endpoint may be out of use.</summary>
    public bool HasEjections(long now) => Volatile.Read(ref _lastReturn) > now;

    /// <summary>Takes note of a try.</summary>
    /// <param name="policy">The cluster's.</param>
    /// <param name="endpoint">That was tried.</param>
    /// <param name="all">The cluster's endpoints, itself among them.</param>
    /// <param name="signal">What happened.</param>
    public void Report(OutlierPolicy policy, UpstreamEndpoint endpoint, UpstreamEndpoint[] all, OutlierSignal signal)
    {
        var state = endpoint.Outlier;
        if (signal == OutlierSignal.Success && (state.Consecutive5xx | state.ConsecutiveGateway | state.ConsecutiveLocal) == 0)
        {
            return;
        }

        lock (_gate)
        {
            if (Count(policy, state, signal))
            {
                Eject(policy, endpoint, all);
            }
        }
    }

    /// <returns>Whether a limit was reached.</returns>
    private static bool Count(OutlierPolicy policy, OutlierState state, OutlierSignal signal)
    {
        if (signal == OutlierSignal.LocalOriginFailure && policy.SplitExternalLocalOriginErrors)
        {
            return Reaches(++state.ConsecutiveLocal, policy.ConsecutiveLocalOriginFailures);
        }

        // An answer, whatever it says, shows that the endpoint can be reached.
        state.ConsecutiveLocal = 0;
        if (signal == OutlierSignal.Success)
        {
            state.Consecutive5xx = state.ConsecutiveGateway = 0;
            return false;
        }

        var gateway = signal != OutlierSignal.ServerError;
        state.ConsecutiveGateway = gateway ? state.ConsecutiveGateway + 1 : 0;
        state.Consecutive5xx++;
        return Reaches(state.Consecutive5xx, policy.Consecutive5xxErrors) || (gateway && Reaches(state.ConsecutiveGateway, policy.ConsecutiveGatewayErrors));
    }

    private static bool Reaches(int count, int limit) => limit > 0 && count >= limit;

    private void Eject(OutlierPolicy policy, UpstreamEndpoint endpoint, UpstreamEndpoint[] all)
    {
        var (state, now) = (endpoint.Outlier, Now);
        if (state.EjectedUntil > now || (CountEjected(all, now) + 1) * 100L > policy.MaxEjectionPercent * (long)all.Length)
        {
            return;
        }

        // Every interval spent in use takes one ejection off the count.
        var calm = state.EjectedUntil == 0 || policy.Interval <= TimeSpan.Zero ? 0 : (int)Math.Min(time.GetElapsedTime(state.EjectedUntil, now) / policy.Interval, int.MaxValue);
        state.Ejections = Math.Max(0, state.Ejections - calm) + 1;
        var longest = policy.BaseEjectionTime > MaxEjectionTime ? policy.BaseEjectionTime : MaxEjectionTime;
        var duration = policy.BaseEjectionTime * state.Ejections;
        state.EjectedUntil = NextSweep(policy.Interval, now + Ticks(duration < longest ? duration : longest));
        state.Consecutive5xx = state.ConsecutiveGateway = state.ConsecutiveLocal = 0;
        Volatile.Write(ref _lastReturn, Math.Max(_lastReturn, state.EjectedUntil));
        ejected?.Invoke(endpoint.Address);
    }

    /// <summary>Envoy looks at ejected endpoints once an interval: they return at the first look after their time.</summary>
    private long NextSweep(TimeSpan interval, long at)
    {
        var step = Ticks(interval);
        return step <= 0 ? at : _start + ((at - _start + step - 1) / step * step);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private static int CountEjected(UpstreamEndpoint[] all, long now)
    {
        var count = 0;
        foreach (var endpoint in all)
        {
            count += endpoint.Outlier.EjectedUntil > now ? 1 : 0;
        }

        return count;
    }
}
