using System.Runtime.InteropServices;
using Portcullis.Policy.Authorization;

namespace Portcullis.Policy.Analysis;

/// <summary>
/// Finds the rules that may cover a rule without comparing it with all of them. A rule is kept under the values of its rarest list; what it covers has a
/// value that one of those begins, ends or equals, so a look-up tries the beginnings and ends of the values of the rule in question.
/// </summary>
internal sealed class CoverageIndex
{
    /// <summary>Rules compared with one rule at most: with more candidates than that, a superfluous rule may go unnoticed.</summary>
    private const int MaxCandidates = 256;

    private readonly List<AnalyzedRule> _rules;
    private readonly Dictionary<(string Attribute, string Pattern), List<int>> _byPattern = [];
    private readonly Dictionary<(string Attribute, string Pattern), int> _frequency = [];
    private readonly Dictionary<string, List<int>> _odd = [];
    private readonly List<int> _unconstrained = [];

    public CoverageIndex(List<AnalyzedRule> rules)
    {
        _rules = rules;
        foreach (var term in rules.SelectMany(r => r.Terms))
        {
            foreach (var value in term.Values)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_frequency, Key(term, value), out _)++;
            }
        }

        for (var i = 0; i < rules.Count; i++)
        {
            Add(i);
        }
    }

    /// <summary>Rules that cover this one, in their order.</summary>
    public IEnumerable<AnalyzedRule> Covering(AnalyzedRule rule)
    {
        var tried = new SortedSet<int>(_unconstrained);
        foreach (var terms in FirstOf(rule.From).Concat(FirstOf(rule.To)).Append(rule.When))
        {
            foreach (var term in terms)
            {
                Collect(term, tried);
            }
        }

        return tried.Take(MaxCandidates).Select(i => _rules[i]).Where(r => !ReferenceEquals(r, rule) && RuleCoverage.Covers(r, rule));
    }

    private static IEnumerable<Term[]> FirstOf(Term[][] items) => items.Length == 0 ? [] : [items[0]];

    private static (string Attribute, string Pattern) Key(Term term, string value) =>
        (term.IsNegated ? $"not {term.Attribute}" : term.Attribute, term.Kind == AttributeKind.Host ? value.ToLowerInvariant() : value);

    private void Add(int index)
    {
        var rule = _rules[index];
        Term[][] sections = [.. Sections(rule)];
        if (sections.Length == 0)
        {
            _unconstrained.Add(index);
            return;
        }

        foreach (var term in sections.MinBy(s => s.Sum(Weight))!)
        {
            foreach (var value in term.Values)
            {
                if (IsOdd(term, value))
                {
                    Bucket(_odd, term.Attribute).Add(index);
                }
                else
                {
                    Bucket(_byPattern, Key(term, value)).Add(index);
                }
            }
        }
    }

    /// <summary>For each part of the rule, a list from each of its items: what the rule covers meets one of them.</summary>
    private IEnumerable<Term[]> Sections(AnalyzedRule rule)
    {
        foreach (var items in new[] { rule.From, rule.To })
        {
            if (items.Length > 0 && Array.TrueForAll(items, i => i.Length > 0))
            {
                yield return [.. items.Select(i => i.MinBy(Weight)!)];
            }
        }

        foreach (var term in rule.When)
        {
            yield return [term];
        }
    }

    private int Weight(Term term) => term.Values.Sum(v => _frequency[Key(term, v)]);

    /// <summary>Values that are neither text nor beginning nor end, and exclusions, which other lists can imply.</summary>
    private static bool IsOdd(Term term, string value) =>
        term.IsNegated
        || (term.Kind is AttributeKind.PeerAddress or AttributeKind.RemoteAddress or AttributeKind.LocalAddress && value.Contains('/', StringComparison.Ordinal))
        || (term.Kind == AttributeKind.Path && value.Contains('{', StringComparison.Ordinal));

    private void Collect(Term term, SortedSet<int> found)
    {
        if (_odd.TryGetValue(term.Attribute, out var odd))
        {
            Take(odd, found);
        }

        if (term.IsNegated)
        {
            return;
        }

        // What covers the rule covers each value of the list: one is enough to find it.
        var value = term.Values[0];
        var key = Key(term, value);
        Take(key, found);
        Take((key.Attribute, "*"), found);
        for (var length = 0; length <= value.Length; length++)
        {
            Take((key.Attribute, $"{key.Pattern.AsSpan(0, length)}*"), found);
            Take((key.Attribute, $"*{key.Pattern.AsSpan(length)}"), found);
        }
    }

    private void Take((string Attribute, string Pattern) key, SortedSet<int> found)
    {
        if (_byPattern.TryGetValue(key, out var rules))
        {
            Take(rules, found);
        }
    }

    private static void Take(List<int> rules, SortedSet<int> found)
    {
        foreach (var index in CollectionsMarshal.AsSpan(rules)[..Math.Min(rules.Count, MaxCandidates)])
        {
            found.Add(index);
        }
    }

    private static List<int> Bucket<TKey>(Dictionary<TKey, List<int>> buckets, TKey key) where TKey : notnull =>
        CollectionsMarshal.GetValueRefOrAddDefault(buckets, key, out _) ??= [];
}
