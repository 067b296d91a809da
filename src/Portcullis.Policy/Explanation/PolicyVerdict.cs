using System.Collections.Immutable;

namespace Portcullis.Policy.Explanation;

/// <summary>What follows from the evaluated policies: who decides, what nearly did, and what would turn it round.</summary>
internal sealed class PolicyVerdict
{
    private const int MaxNearMisses = 5;

    private readonly RuleExplanation[] _deny;
    private readonly RuleExplanation[] _allow;
    private readonly RuleExplanation? _denying;
    private readonly RuleExplanation? _allowing;
    private readonly bool _hasAllow;

    public PolicyVerdict(ImmutableArray<PolicyExplanation> policies)
    {
        _deny = Rules(policies, "DENY");
        _allow = Rules(policies, "ALLOW");
        _hasAllow = policies.Any(p => p is { Action: "ALLOW", IsDryRun: false });
        _denying = Array.Find(_deny, r => r.Matches);
        _allowing = Array.Find(_allow, r => r.Matches);
    }

    public bool IsAllowed => _denying is null && (!_hasAllow || _allowing is not null);

    /// <summary>The rule that decides; the first of them in the order of ids.</summary>
    public RuleExplanation? Decisive => _denying ?? (_hasAllow ? _allowing : null);

    public string Reason => (_denying, _hasAllow, _allowing) switch
    {
        ({ } deny, _, _) => $"denied by {deny.Id}",
        (_, false, _) => "no DENY policy matches and no ALLOW policy is attached, so every other request passes",
        (_, _, { } allow) => $"allowed by {allow.Id}",
        _ => "ALLOW policies are attached and none of them matches",
    };

    /// <summary>Denied for want of an ALLOW: the ALLOW rules. Allowed: the DENY rules that one condition kept away.</summary>
    public ImmutableArray<NearMiss> NearMisses()
    {
        var (action, candidates) = IsAllowed ? ("DENY", _deny) : _denying is null ? ("ALLOW", _allow) : ("", []);
        return
        [
            .. candidates.Where(r => !r.Matches && r.LeftOut is null)
                .Select(r => NearMissOf(r, action))
                .Where(m => action == "ALLOW" || m.Missing.Length == 1)
                .OrderBy(m => m.Missing.Length)
                .ThenByDescending(m => m.Held)
                .Take(MaxNearMisses),
        ];
    }

    public SmallestChange SmallestChange() => IsAllowed ? ToDeny() : ToAllow();

    private SmallestChange ToAllow()
    {
        var steps = new List<ChangeStep>();
        foreach (var rule in _deny.Where(r => r.Matches))
        {
            if (Break(rule) is not { } broken)
            {
                return new SmallestChange("allow", $"no change of the request helps: {rule.Id} denies every request; change the policy", []);
            }

            steps.AddRange(broken);
        }

        if (_hasAllow && _allowing is null)
        {
            if (_allow.Where(r => r.LeftOut is null).Select(Satisfy).MinBy(s => s.Count) is not { } satisfied)
            {
                return new SmallestChange("allow", "no change of the request helps: the ALLOW policies have no rule that can match; add one", []);
            }

            steps.AddRange(satisfied);
        }

        return Of("allow", steps);
    }

    private SmallestChange ToDeny()
    {
        var options = _deny.Where(r => r.LeftOut is null).Select(Satisfy).ToList();
        if (_hasAllow)
        {
            var broken = _allow.Where(r => r.Matches).Select(Break).ToList();
            if (!broken.Contains(null))
            {
                options.Add([.. broken.SelectMany(b => b!)]);
            }
        }

        return options.MinBy(o => o.Count) is { } fewest
            ? Of("deny", fewest)
            : new SmallestChange("deny", "no change of the request does: no DENY rule is attached, and nothing narrows what passes", []);
    }

    private static SmallestChange Of(string to, List<ChangeStep> steps) =>
        new(to, steps.Count == 1 ? "one clause has to come out the other way" : $"{steps.Count} clauses have to come out the other way", [.. steps]);

    private static NearMiss NearMissOf(RuleExplanation rule, string action)
    {
        ImmutableArray<ClauseExplanation> way = [.. rule.EasiestWay];
        ImmutableArray<ClauseExplanation> missing = [.. way.Where(c => !c.Holds)];
        var held = way.Length - missing.Length;
        var summary = $"{held} of {way.Length} conditions held; {string.Join("; ", missing.Select(c => c.ToString()))}";
        return new NearMiss(rule.Id, action, held, way.Length, missing, summary);
    }

    private static List<ChangeStep> Satisfy(RuleExplanation rule) => [.. rule.EasiestWay.Where(c => !c.Holds).Select(c => Flip(rule, c))];

    /// <summary>The fewest clauses without which the rule does not match; <see langword="null"/> when it has none.</summary>
    private static List<ChangeStep>? Break(RuleExplanation rule)
    {
        var ways = new List<List<ChangeStep>>();
        ways.AddRange(rule.When.Where(IsBreakable).Take(1).Select(c => new List<ChangeStep> { Flip(rule, c) }));
        foreach (var groups in new[] { rule.To, rule.From })
        {
            var holding = groups.Where(g => g.Holds).ToList();
            if (holding.Count > 0 && holding.All(g => g.Clauses.Any(IsBreakable)))
            {
                ways.Add([.. holding.Select(g => Flip(rule, g.Clauses.First(IsBreakable)))]);
            }
        }

        return ways.MinBy(w => w.Count);
    }

    /// <summary>A clause without a usable value is no constraint.</summary>
    private static bool IsBreakable(ClauseExplanation clause) => clause.Unusable is null;

    private static ChangeStep Flip(RuleExplanation rule, ClauseExplanation clause)
    {
        var mustMatch = clause.Holds == clause.IsNegated;
        var name = clause.IsNegated && clause.Key.StartsWith("not", StringComparison.Ordinal) ? $"{char.ToLowerInvariant(clause.Key[3])}{clause.Key[4..]}" : clause.Key;
        var values = string.Join(mustMatch ? " or " : ", ", clause.Wanted.Select(v => $"\"{v}\""));
        var text = $"{name} must {(mustMatch ? "match" : clause.Wanted.Length == 1 ? "not match" : "match none of")} {values} (is {clause.Seen})";
        return new ChangeStep(rule.Id, text, clause.Place);
    }

    private static RuleExplanation[] Rules(ImmutableArray<PolicyExplanation> policies, string action) =>
    [
        .. policies.Where(p => p.Action == action && !p.IsDryRun).SelectMany(p => p.Rules).OrderBy(r => r.Id, StringComparer.Ordinal),
    ];
}
