using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>Remembers over a run which rules matched, which clauses held and failed, which values matched, and which token rules accepted.</summary>
internal sealed class CoverageCollector
{
    private readonly ImmutableArray<PolicyExplanation> _shape;
    private readonly ImmutableArray<RequestAuthentication> _authentications;
    private readonly Dictionary<string, AuthorizationPolicy> _policies;
    private readonly HashSet<string> _reached = [];
    private readonly HashSet<string> _matched = [];
    private readonly HashSet<string> _accepted = [];
    private readonly Dictionary<(string Policy, string Field), SeenClause> _clauses = [];

    /// <param name="shape">Every policy with its rules and clauses, evaluated for whatever request.</param>
    /// <param name="policies">The same policies, for their places.</param>
    /// <param name="authentications">The attached RequestAuthentications.</param>
    public CoverageCollector(
        ImmutableArray<PolicyExplanation> shape, IEnumerable<AuthorizationPolicy> policies, ImmutableArray<RequestAuthentication> authentications)
    {
        (_shape, _authentications) = (shape, authentications);
        _policies = policies.DistinctBy(NameOf).ToDictionary(NameOf);
    }

    public void Observe(DecisionExplanation decision)
    {
        _accepted.UnionWith(decision.Identity.Verdicts.Where(v => v.IsAccepted).Select(v => v.Rule));
        foreach (var policy in decision.Policies)
        {
            _reached.Add(policy.Name);
            foreach (var rule in policy.Rules)
            {
                if (rule.Matches)
                {
                    _matched.Add(rule.Id);
                }

                foreach (var clause in ClausesOf(rule))
                {
                    var key = (policy.Name, clause.Field);
                    if (!_clauses.TryGetValue(key, out var seen))
                    {
                        _clauses[key] = seen = new SeenClause();
                    }

                    seen.Held |= clause.Holds;
                    seen.Failed |= !clause.Holds;
                    seen.Values.UnionWith(clause.Matched);
                }
            }
        }
    }

    public PolicyTestCoverage Build() => new([.. _shape.SelectMany(Items), .. _authentications.SelectMany(Items)]);

    private IEnumerable<CoverageItem> Items(PolicyExplanation policy)
    {
        var name = $"{policy.Action} {policy.Name}";
        var isCovered = policy.Rules.IsEmpty ? _reached.Contains(policy.Name) : policy.Rules.Any(r => _matched.Contains(r.Id));
        yield return new CoverageItem(CoverageKind.Policy, name, policy.Place, isCovered ? null : policy.Rules.IsEmpty ? "no test reaches it" : "no test matches a rule of it");
        foreach (var rule in policy.Rules)
        {
            yield return new CoverageItem(CoverageKind.Rule, $"{name} {rule.Field}", rule.Place, _matched.Contains(rule.Id) ? null : "no test matches it");
            foreach (var clause in ClausesOf(rule))
            {
                var seen = _clauses.GetValueOrDefault((policy.Name, clause.Field)) ?? new SeenClause();
                yield return new CoverageItem(CoverageKind.Clause, $"{name} {clause.Field}", clause.Place, seen.Missing);
                for (var i = 0; i < clause.Wanted.Length; i++)
                {
                    var field = string.Create(CultureInfo.InvariantCulture, $"{clause.Field}[{i}]");
                    yield return new CoverageItem(
                        CoverageKind.Value,
                        $"{name} {field} \"{clause.Wanted[i]}\"",
                        _policies.TryGetValue(policy.Name, out var resource) ? Place(resource, field) : clause.Place,
                        seen.Values.Contains(clause.Wanted[i]) ? null : "no test has a value that it matches");
                }
            }
        }
    }

    private IEnumerable<CoverageItem> Items(RequestAuthentication authentication)
    {
        for (var i = 0; i < authentication.JwtRules.Length; i++)
        {
            var rule = string.Create(CultureInfo.InvariantCulture, $"{NameOf(authentication)} jwtRules[{i}]");
            yield return new CoverageItem(
                CoverageKind.TokenRule,
                $"{rule} ({authentication.JwtRules[i].Issuer ?? "any issuer"})",
                Place(authentication, string.Create(CultureInfo.InvariantCulture, $"spec.jwtRules[{i}]")),
                _accepted.Contains(rule) ? null : "no test has a token that it accepts");
        }
    }

    private static IEnumerable<ClauseExplanation> ClausesOf(RuleExplanation rule) => rule.From.Concat(rule.To).SelectMany(g => g.Clauses).Concat(rule.When);

    private static string NameOf(Resource resource) => $"{resource.Metadata.Namespace}/{resource.Metadata.Name}";

    private static string? Place(Resource resource, string field) => resource.Origin.Locate(field) is { } position
        ? string.Create(CultureInfo.InvariantCulture, $"{resource.Origin.Source}:{position.Line}")
        : null;

    private sealed class SeenClause
    {
        public bool Held { get; set; }

        public bool Failed { get; set; }

        public HashSet<string> Values { get; } = [];

        public string? Missing => (Held, Failed) switch
        {
            (true, true) => null,
            (true, false) => "it fails in no test",
            (false, true) => "it holds in no test",
            _ => "no test reaches it",
        };
    }
}
