namespace Portcullis.Gateway.Forwarding;

/// <summary>Where a hashed key goes (routing.md §4.3, <c>consistentHash</c>). An endpoint that comes or goes moves only the keys it takes or had.</summary>
internal abstract class HashTable
{
    /// <summary>Candidates in the order of preference: the first, then where its keys go when it may not be used.</summary>
    /// <param name="hash">Of the key.</param>
    /// <param name="attempt">From 0.</param>
    /// <returns>Index of an endpoint.</returns>
    public abstract int Find(ulong hash, int attempt);

    /// <summary>How many attempts see every endpoint, or as good as.</summary>
    public abstract int MaxAttempts { get; }
}

/// <summary>A ring of points, in numbers that follow the weights (Envoy's <c>RING_HASH</c>).</summary>
internal sealed class RingHash : HashTable
{
    private const int MaxSize = 1 << 20;

    private readonly (ulong Point, int Index)[] _ring;

    public RingHash(UpstreamEndpoint[] endpoints, int[] weights, int minSize)
    {
        var total = weights.Sum(w => (long)w);
        var size = Math.Min(Math.Max(minSize, endpoints.Length), MaxSize);
        var ring = new List<(ulong, int)>(size + endpoints.Length);
        for (var i = 0; i < endpoints.Length; i++)
        {
            var points = Math.Max(1, (int)Math.Ceiling((double)size * weights[i] / total));
            var seed = StableHash.Of(endpoints[i].Address);
            for (var n = 0; n < points; n++)
            {
                ring.Add((StableHash.Mix(seed + ((ulong)n * 0x9e3779b97f4a7c15)), i));
            }
        }

        ring.Sort();
        _ring = [.. ring];
    }

    public override int MaxAttempts => _ring.Length;

    public override int Find(ulong hash, int attempt)
    {
        int low = 0, high = _ring.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_ring[middle].Point < hash)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return _ring[(low + attempt) % _ring.Length].Index;
    }
}

/// <summary>Maglev's table: every endpoint fills it in turn by its own permutation, in shares that follow the weights (Envoy's <c>MAGLEV</c>).</summary>
internal sealed class MaglevHash : HashTable
{
    private const int MaxSize = 5_000_011;
    private const int Rehashes = 64;

    private readonly int[] _table;

    /// <param name="endpoints">At least one.</param>
    /// <param name="weights">Theirs.</param>
    /// <param name="size">A prime.</param>
    public MaglevHash(UpstreamEndpoint[] endpoints, int[] weights, int size)
    {
        size = Math.Clamp(size, 2, MaxSize);
        _table = new int[size];
        Array.Fill(_table, -1);
        var position = new long[endpoints.Length];
        var skip = new long[endpoints.Length];
        for (var i = 0; i < endpoints.Length; i++)
        {
            position[i] = (long)(StableHash.Of(endpoints[i].Address) % (ulong)size);
            skip[i] = (long)(StableHash.Of(endpoints[i].Address, seed: 1) % (ulong)(size - 1)) + 1;
        }

        Fill(position, skip, weights);
    }

    public override int MaxAttempts => Rehashes;

    public override int Find(ulong hash, int attempt) => _table[(attempt == 0 ? hash : StableHash.Mix(hash + (ulong)attempt)) % (ulong)_table.Length];

    private void Fill(long[] position, long[] skip, int[] weights)
    {
        var heaviest = weights.Max();
        var share = new long[weights.Length];
        for (var filled = 0; filled < _table.Length;)
        {
            for (var i = 0; i < weights.Length && filled < _table.Length; i++)
            {
                // A lighter endpoint sits rounds out until its share is due.
                share[i] += weights[i];
                if (share[i] < heaviest)
                {
                    continue;
                }

                share[i] -= heaviest;
                while (_table[position[i]] >= 0)
                {
                    position[i] = (position[i] + skip[i]) % _table.Length;
                }

                _table[position[i]] = i;
                filled++;
            }
        }
    }
}
