namespace Portcullis.Policy.Authorization;

/// <summary>
/// What a request must have for a rule to match. Each part of the rule (its sources, its operations, each condition) is a list of choices; each choice a list
/// of clauses that must all hold, so that any one of them will do to find it by; each clause a list of keys, of which the request has at least one.
/// </summary>
internal sealed class RequiredKeys
{
    private readonly IndexKey[][][][] _parts;

    private RequiredKeys(IndexKey[][][][] parts) => _parts = parts;

    /// <summary>Number of keys.</summary>
    public int Count => _parts.Sum(p => p.Sum(c => c.Sum(k => k.Length)));

    public static RequiredKeys Of(CompiledRule rule)
    {
        var parts = new List<IndexKey[][][]>();
        foreach (var choices in new[] { rule.To, rule.From })
        {
            parts.Add([.. choices.Select(clauses => clauses.Select(Keys).OfType<IndexKey[]>().ToArray())]);
        }

        foreach (var clause in rule.When)
        {
            parts.Add([Keys(clause) is { } keys ? [keys] : []]);
        }

        // A part with a choice that nothing is required for is of no use.
        return new RequiredKeys([.. parts.Where(p => p.Length > 0 && p.All(choice => choice.Length > 0))]);
    }

    /// <summary>Counts the rule at each of its keys.</summary>
    public void CountInto(Dictionary<IndexKey, int> shares)
    {
        foreach (var key in _parts.SelectMany(p => p).SelectMany(c => c).SelectMany(k => k).Distinct())
        {
            shares[key] = shares.GetValueOrDefault(key) + 1;
        }
    }

    /// <summary>The keys to find the rule by: those with which the fewest rules are found.</summary>
    /// <param name="shares">How many rules have each key.</param>
    /// <param name="used">Fields, as bits, that have been looked at already.</param>
    /// <returns><see langword="null"/> when the rule cannot be found by the other fields.</returns>
    public List<IndexKey>? Choose(Dictionary<IndexKey, int> shares, int used)
    {
        List<IndexKey>? best = null;
        var least = (Cost: long.MaxValue, Rank: int.MaxValue);
        foreach (var choices in _parts)
        {
            var keys = new List<IndexKey>();
            var sum = (Cost: 0L, Rank: 0);
            foreach (var choice in choices)
            {
                if (Cheapest(choice, shares, used) is not { } clause)
                {
                    keys = null;
                    break;
                }

                keys.AddRange(clause);
                sum = (sum.Cost + Cost(clause, shares), Math.Max(sum.Rank, (int)clause[0].Field));
            }

            if (keys is not null && sum.CompareTo(least) < 0)
            {
                (best, least) = (keys, sum);
            }
        }

        return best;
    }

    private static IndexKey[]? Cheapest(IndexKey[][] clauses, Dictionary<IndexKey, int> shares, int used)
    {
        IndexKey[]? best = null;
        foreach (var clause in clauses)
        {
            if ((used & (1 << (int)clause[0].Field)) == 0
                && (best is null || (Cost(clause, shares), clause[0].Field).CompareTo((Cost(best, shares), best[0].Field)) < 0))
            {
                best = clause;
            }
        }

        return best;
    }

    private static long Cost(IndexKey[] keys, Dictionary<IndexKey, int> shares) => keys.Sum(k => (long)shares[k]);

    private static IndexKey[]? Keys(Clause clause)
    {
        var keys = new List<IndexKey>();
        return clause.TryGetKeys(keys) && keys.Count > 0 ? [.. keys] : null;
    }
}
