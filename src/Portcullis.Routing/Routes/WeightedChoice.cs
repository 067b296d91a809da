using System.Collections.Immutable;

namespace Portcullis.Routing;

/// <summary>Chooses an index by weight.</summary>
internal sealed class WeightedChoice
{
    private static readonly WeightedChoice One = new([1]);

    private readonly ulong[] _upTo;

    private WeightedChoice(ulong[] upTo) => _upTo = upTo;

    /// <param name="items">At least one; the weight of a single one does not matter, those of several are above 0.</param>
    /// <param name="weight">Of an item.</param>
    public static WeightedChoice Of<T>(ImmutableArray<T> items, Func<T, int> weight)
    {
        if (items.Length == 1)
        {
            return One;
        }

        var total = 0UL;
        return new([.. items.Select(i => total += (ulong)weight(i))]);
    }

    /// <summary>What <see cref="Index"/> takes, by chance.</summary>
    public static uint Draw() => (uint)Random.Shared.NextInt64(1L << 32);

    /// <param name="random">Uniform over all 32 bits.</param>
    public int Index(uint random)
    {
        var ticket = (ulong)(((UInt128)random * _upTo[^1]) >> 32);
        for (var i = 0; i < _upTo.Length - 1; i++)
        {
            if (ticket < _upTo[i])
            {
                return i;
            }
        }

        return _upTo.Length - 1;
    }
}
