namespace Portcullis.Gateway.Jwks;

/// <summary>When the next fetch is due (authentication.md §9). Every wait is shortened by up to a tenth, so that sources do not move in step.</summary>
internal static class JwksSchedule
{
    private const double Jitter = 0.1;

    /// <param name="options">Intervals and backoffs.</param>
    /// <param name="failures">Attempts that failed one after the other; 0 after a success.</param>
    /// <param name="hasKeys">Whether tokens can be verified meanwhile.</param>
    /// <param name="random">From 0 to 1.</param>
    public static TimeSpan Next(JwksFetchOptions options, int failures, bool hasKeys, double random)
    {
        var wait = (failures, hasKeys) switch
        {
            (0, _) => options.RefreshInterval,
            (_, true) => Doubled(Min(options.BackoffInitial, options.RefreshInterval), failures, options.BackoffMaximum),
            (_, false) => Doubled(options.EmptyBackoffInitial, failures, options.EmptyBackoffMaximum),
        };
        return wait * (1 - (Jitter * random));
    }

    private static TimeSpan Doubled(TimeSpan first, int failures, TimeSpan maximum) =>
        new((long)Math.Min(first.Ticks * Math.Pow(2, failures - 1), maximum.Ticks));

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
