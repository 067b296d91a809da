namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>A histogram over Envoy's fixed bounds. Adding costs two interlocked operations and allocates nothing.</summary>
internal sealed class BucketedCounts
{
    private readonly long[] _counts = new long[UpperBounds.Length + 1];
    private long _sum;

    /// <summary>Envoy's default bounds, inclusive; one more bucket takes what lies above.</summary>
    public static ReadOnlySpan<double> UpperBounds =>
        [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000];

    /// <summary>Sum of the scaled values, as <see cref="Add"/> got them.</summary>
    public long Sum => Volatile.Read(ref _sum);

    /// <summary>Adds one value.</summary>
    /// <param name="value">In the unit of the bounds; finds the bucket.</param>
    /// <param name="scaled">The same in the unit of <see cref="Sum"/>: a whole number, so that adding needs no loop.</param>
    public void Add(double value, long scaled)
    {
        var bucket = 0;
        foreach (var bound in UpperBounds)
        {
            if (value <= bound)
            {
                break;
            }

            bucket++;
        }

        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _sum, scaled);
    }

    /// <summary>Copies the counts of the buckets, each without those below it.</summary>
    public void CopyTo(Span<long> counts)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            counts[i] = Volatile.Read(ref _counts[i]);
        }
    }
}
