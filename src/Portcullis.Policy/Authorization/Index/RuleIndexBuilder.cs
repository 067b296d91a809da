using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// Chooses for each rule the key, or the few of them, that the fewest other rules share and that no request which the rule matches can be without. Rules that
/// have none stay in the list that is always walked.
/// </summary>
internal sealed class RuleIndexBuilder
{
    /// <summary>So few rules are walked faster than looked up.</summary>
    private const int LeafSize = 6;

    private readonly RequiredKeys[] _keys;
    private readonly Dictionary<(int[] Positions, int Used), RuleNode> _built = new(new PositionsComparer());
    private int _budget;

    public RuleIndexBuilder(CompiledRule[] rules)
    {
        _keys = rules.Length > LeafSize ? [.. rules.Select(RequiredKeys.Of)] : [];
        Count = rules.Length;
        // Inner tables repeat keys; past this they would cost more memory than they save time.
        _budget = 16 * _keys.Sum(k => k.Count);
    }

    private int Count { get; }

    public RuleNode Build() => Build([.. Enumerable.Range(0, Count)], used: 0);

    private RuleNode Build(int[] positions, int used)
    {
        if (positions.Length <= LeafSize || _budget < 0)
        {
            return new RuleNode { Rules = positions };
        }

        if (!_built.TryGetValue((positions, used), out var node))
        {
            _built[(positions, used)] = node = Split(positions, used);
        }

        return node;
    }

    private RuleNode Split(int[] positions, int used)
    {
        var shares = new Dictionary<IndexKey, int>();
        foreach (var position in positions)
        {
            _keys[position].CountInto(shares);
        }

        var always = new List<int>();
        var found = new Dictionary<IndexKey, List<int>>();
        foreach (var position in positions)
        {
            if (_keys[position].Choose(shares, used) is not { } chosen)
            {
                always.Add(position);
                continue;
            }

            _budget -= used == 0 ? 0 : chosen.Count;
            foreach (var key in chosen)
            {
                if (!found.TryGetValue(key, out var list))
                {
                    found[key] = list = [];
                }

                if (list.Count == 0 || list[^1] != position)
                {
                    list.Add(position);
                }
            }
        }

        return new RuleNode
        {
            Rules = [.. always],
            Hosts = Texts(found, IndexField.Host, used),
            Paths = Texts(found, IndexField.Path, used),
            Peers = Texts(found, IndexField.Peer, used),
            Tokens = TokensOf(found, used),
            Methods = Texts(found, IndexField.Method, used),
        };
    }

    private TextTable? Texts(Dictionary<IndexKey, List<int>> found, IndexField field, int used)
    {
        var keys = found.Keys.Where(k => k.Field == field).ToList();
        if (keys.Count == 0)
        {
            return null;
        }

        return new TextTable
        {
            Wholes = keys.Where(k => k.Place == LiteralPlace.Whole)
                .ToDictionary(k => k.Text!, k => Child(found, k, used)!, field == IndexField.Host ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal),
            Starts = Trie(keys.Where(k => k.Place == LiteralPlace.Beginning).Select(k => new TextEntry(k.Text!, Child(found, k, used)!))),
            Ends = Trie(keys.Where(k => k.Place == LiteralPlace.End).Select(k => new TextEntry(Reverse(k.Text!), Child(found, k, used)!))),
            IgnoresCase = field == IndexField.Host,
        };
    }

    private static TextTrie? Trie(IEnumerable<TextEntry> entries)
    {
        var all = entries.ToArray();
        return all.Length == 0 ? null : TextTrie.Build(all);
    }

    private TokenTable? TokensOf(Dictionary<IndexKey, List<int>> found, int used)
    {
        var keys = found.Keys.Where(k => k.Field == IndexField.Token).ToList();
        return keys.Count == 0 ? null : new TokenTable
        {
            Pairs = keys.Where(k => k is { Text: not null, Subject: not null }).ToDictionary(k => (k.Text!, k.Subject!), k => Child(found, k, used)!),
            Issuers = keys.Where(k => k is { Text: not null, Subject: null }).ToDictionary(k => k.Text!, k => Child(found, k, used)!),
            Subjects = keys.Where(k => k is { Text: null, Subject: not null }).ToDictionary(k => k.Subject!, k => Child(found, k, used)!),
            OpenIssuers = keys.Where(k => k.Text is not null).GroupBy(k => k.Text!).ToDictionary(g => g.Key, g => Merge(found, g)),
            OpenSubjects = Merge(found, keys.Where(k => k.Text is null)),
            All = Merge(found, keys),
        };
    }

    private RuleNode? Child(Dictionary<IndexKey, List<int>> found, IndexKey key, int used) =>
        found.TryGetValue(key, out var positions) ? Build([.. positions], used | (1 << (int)key.Field)) : null;

    private static int[] Merge(Dictionary<IndexKey, List<int>> found, IEnumerable<IndexKey> keys) => [.. keys.SelectMany(k => found[k]).Distinct().Order()];

    private static string Reverse(string text)
    {
        var units = text.ToCharArray();
        Array.Reverse(units);
        return new string(units);
    }

    private sealed class PositionsComparer : IEqualityComparer<(int[] Positions, int Used)>
    {
        public bool Equals((int[] Positions, int Used) x, (int[] Positions, int Used) y) =>
            x.Used == y.Used && x.Positions.AsSpan().SequenceEqual(y.Positions);

        public int GetHashCode((int[] Positions, int Used) key)
        {
            var hash = new HashCode();
            hash.Add(key.Used);
            foreach (var position in key.Positions)
            {
                hash.Add(position);
            }

            return hash.ToHashCode();
        }
    }
}
