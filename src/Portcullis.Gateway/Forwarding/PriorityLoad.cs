namespace Portcullis.Gateway.Forwarding;

/// <summary>How much of the traffic each priority gets (Envoy's load balancing by priority levels).</summary>
internal static class PriorityLoad
{
    /// <summary>Priorities beyond are not used; failover over labels makes one more than there are labels.</summary>
    public const int MaxLevels = 64;

    /// <summary>Envoy's <c>overprovisioning_factor</c>: a priority with 72 % of its endpoints still carries all of its traffic.</summary>
    private const int Overprovisioning = 140;

    /// <summary>What a priority can carry, in percent.</summary>
    public static int Health(int healthy, int count) => (int)Math.Min(100, (long)healthy * Overprovisioning / count);

    /// <summary>What all can carry together, 100 at most.</summary>
    public static int Total(ReadOnlySpan<int> health)
    {
        var total = 0;
        foreach (var one in health)
        {
            total += one;
        }

        return Math.Min(total, 100);
    }

    /// <summary>The priority of a request.</summary>
    /// <param name="health">What each can carry.</param>
    /// <param name="ticket">0 to 99.</param>
    /// <returns>The first when none can carry anything.</returns>
    public static int Choose(ReadOnlySpan<int> health, int ticket)
    {
        var total = Total(health);
        if (total == 0)
        {
            return 0;
        }

        var (left, first, sum) = (100, -1, 0);
        Span<int> load = stackalloc int[health.Length];
        for (var i = 0; i < load.Length; i++)
        {
            load[i] = Math.Min(left, health[i] * 100 / total);
            left -= load[i];
            first = first < 0 && load[i] > 0 ? i : first;
        }

        // What rounding left over goes to the first that has anything.
        load[first] += left;
        for (var i = 0; i < load.Length; i++)
        {
            sum += load[i];
            if (ticket < sum)
            {
                return i;
            }
        }

        return first;
    }
}
