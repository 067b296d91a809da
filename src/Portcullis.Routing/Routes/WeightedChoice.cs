namespace Portcullis.Routing;

/// <summary>Chooses an index by weight.</summary>
internal sealed class WeightedChoice
{
    private readonly ulong[] _upTo;

    /// <param name="weights">At least one; a single one may be 0, several are all above 0.</param>
    public WeightedChoice(IEnumerable<int> weights)
    {
        var total = 0UL;
        _upTo = [.. weights.Select(w => total += (ulong)w)];
    }

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
