using System.Collections.Immutable;
using System.Globalization;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Resources;

namespace Portcullis.Policy.Explanation;

/// <summary>Evaluates one rule as the reference does, and keeps what every clause saw. What cannot be used narrows ALLOW and widens all else (§7.2).</summary>
internal sealed class RuleExplainer
{
    private readonly AuthorizationPolicy _policy;
    private readonly AuthorizationRule _rule;
    private readonly MeshConfig _mesh;
    private readonly ReferenceAttributes _attributes;
    private readonly string _field;
    private readonly Dictionary<string, string?> _places = [];

    public RuleExplainer(AuthorizationPolicy policy, int index, MeshConfig mesh)
    {
        (_policy, _rule, _mesh) = (policy, policy.Rules[index], mesh);
        _attributes = new ReferenceAttributes(policy, mesh);
        _field = $"spec.rules[{index}]";
        Id = $"ns[{policy.Metadata.Namespace}]-policy[{policy.Metadata.Name}]-rule[{index}]";
    }

    public string Id { get; }

    private bool IsAllow => _policy.Action == PolicyAction.Allow;

    /// <param name="request">The request.</param>
    /// <param name="paths">The path, then its other readings where they count.</param>
    public RuleExplanation Explain(ReferenceRequest request, IReadOnlyList<string> paths)
    {
        var first = Explain(request, paths[0]);
        if (first.Matches)
        {
            return first;
        }

        foreach (var reading in paths.Skip(1))
        {
            if (Explain(request, reading) is { Matches: true } match)
            {
                return match with { PathReading = reading };
            }
        }

        return first;
    }

    private RuleExplanation Explain(ReferenceRequest request, string path)
    {
        var from = _rule.From.Select((s, i) => Group($"{_field}.from[{i}].source", Source(s, $"{_field}.from[{i}].source", request, path))).ToImmutableArray();
        var to = _rule.To.Select((o, i) => Group($"{_field}.to[{i}].operation", Operation(o, $"{_field}.to[{i}].operation", request, path))).ToImmutableArray();
        var when = _rule.When.SelectMany((c, i) => Condition(c, $"{_field}.when[{i}]", request, path)).ToImmutableArray();
        var unusable = IsAllow ? from.Concat(to).SelectMany(g => g.Clauses).Concat(when).FirstOrDefault(c => c.Unusable is not null) : null;
        return new RuleExplanation
        {
            Id = Id,
            Field = _field,
            Place = PlaceOf(_field),
            Matches = unusable is null
                && (from.IsEmpty || from.Any(g => g.Holds))
                && (to.IsEmpty || to.Any(g => g.Holds))
                && when.All(c => c.Holds),
            LeftOut = unusable is null ? null : $"{unusable.Field}: {unusable.Unusable}; so the rule allows nothing",
            From = from,
            To = to,
            When = when,
        };
    }

    private static ClauseGroup Group(string field, IEnumerable<ClauseExplanation> clauses)
    {
        var all = clauses.ToImmutableArray();
        return new ClauseGroup(field, all.All(c => c.Holds), all);
    }

    private IEnumerable<ClauseExplanation> Source(RequestSource s, string field, ReferenceRequest request, string path) =>
    [
        .. Both("principals", "source.principal", s.Principals, s.NotPrincipals, field, request, path),
        .. Both("requestPrincipals", "request.auth.principal", s.RequestPrincipals, s.NotRequestPrincipals, field, request, path),
        .. Both("namespaces", "source.namespace", s.Namespaces, s.NotNamespaces, field, request, path),
        .. Both("serviceAccounts", "source.serviceAccount", s.ServiceAccounts, s.NotServiceAccounts, field, request, path),
        .. Both("ipBlocks", "source.ip", s.IpBlocks, s.NotIpBlocks, field, request, path),
        .. Both("remoteIpBlocks", "remote.ip", s.RemoteIpBlocks, s.NotRemoteIpBlocks, field, request, path),
        .. Both("trustDomains", "source.trustDomain", s.TrustDomains, s.NotTrustDomains, field, request, path),
    ];

    private IEnumerable<ClauseExplanation> Operation(Operation o, string field, ReferenceRequest request, string path) =>
    [
        .. Both("hosts", "hosts", o.Hosts, o.NotHosts, field, request, path),
        .. Both("ports", "destination.port", o.Ports, o.NotPorts, field, request, path),
        .. Both("methods", "methods", o.Methods, o.NotMethods, field, request, path),
        .. Both("paths", "paths", o.Paths, o.NotPaths, field, request, path),
    ];

    private IEnumerable<ClauseExplanation> Both(
        string name, string key, ImmutableArray<string> values, ImmutableArray<string> notValues, string field, ReferenceRequest request, string path)
    {
        if (!values.IsDefaultOrEmpty)
        {
            yield return Clause(name, key, values, isNegated: false, $"{field}.{name}", request, path);
        }

        if (!notValues.IsDefaultOrEmpty)
        {
            var not = $"not{char.ToUpperInvariant(name[0])}{name[1..]}";
            yield return Clause(not, key, notValues, isNegated: true, $"{field}.{not}", request, path);
        }
    }

    private List<ClauseExplanation> Condition(Condition condition, string field, ReferenceRequest request, string path)
    {
        if (!ReferenceAttributes.IsKey(condition.Key) || condition.Values.Length + condition.NotValues.Length == 0)
        {
            return
            [
                new ClauseExplanation
                {
                    Key = condition.Key,
                    Wanted = [.. condition.Values, .. condition.NotValues],
                    Seen = "nothing",
                    Holds = !IsAllow,
                    Unusable = ReferenceAttributes.IsKey(condition.Key) ? "neither `values` nor `notValues` is set" : $"unknown attribute `{condition.Key}`",
                    Field = $"{field}.key",
                    Place = PlaceOf($"{field}.key"),
                },
            ];
        }

        var clauses = new List<ClauseExplanation>();
        if (!condition.Values.IsEmpty)
        {
            clauses.Add(Clause(condition.Key, condition.Key, condition.Values, isNegated: false, $"{field}.values", request, path));
        }

        if (!condition.NotValues.IsEmpty)
        {
            clauses.Add(Clause(condition.Key, condition.Key, condition.NotValues, isNegated: true, $"{field}.notValues", request, path));
        }

        return clauses;
    }

    private ClauseExplanation Clause(
        string name, string key, ImmutableArray<string> values, bool isNegated, string field, ReferenceRequest request, string path)
    {
        var tests = values.Select(v => _attributes.Test(key, v, request, path)).ToArray();
        var bad = values.Where((_, i) => tests[i] is null).ToArray();
        var usable = tests.Where(t => t is not null).ToArray();
        var holds = bad.Length > 0 && IsAllow ? false : usable.Length == 0 || usable.Contains(Truth.True) != isNegated;
        return new ClauseExplanation
        {
            Key = name,
            IsNegated = isNegated,
            Wanted = values,
            Matched = [.. values.Where((_, i) => tests[i] == Truth.True)],
            Seen = SeenValue.Of(key, request, path, _mesh),
            Holds = holds,
            Unusable = bad.Length == 0 ? null : $"{string.Join(", ", bad.Select(b => $"`{b}`"))} cannot be used here",
            Field = field,
            Place = PlaceOf(field),
        };
    }

    private string? PlaceOf(string field)
    {
        lock (_places)
        {
            if (!_places.TryGetValue(field, out var place))
            {
                _places[field] = place = Place(_policy, field);
            }

            return place;
        }
    }

    /// <summary><c>file:line</c> of a field.</summary>
    public static string? Place(Resource resource, string field) => resource.Origin.Locate(field) is { } position
        ? string.Create(CultureInfo.InvariantCulture, $"{resource.Origin.Source}:{position.Line}")
        : null;
}
