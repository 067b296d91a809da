using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// Turns the rules of one policy into their runtime form. What cannot be used narrows an ALLOW policy (the whole rule goes) and widens every other one (the
/// value goes; a list that has lost all its values constrains nothing any more): an error never opens a door (authorization.md §7.2).
/// </summary>
internal sealed class RuleCompiler
{
    private readonly AuthorizationPolicy _policy;
    private readonly ClauseCompiler _clauses;
    private readonly SharedClauses _shared;
    private readonly ICollection<Problem> _problems;
    private bool _isUsable;

    public RuleCompiler(AuthorizationPolicy policy, MeshConfig mesh, bool isTcp, SharedClauses shared, ICollection<Problem> problems)
    {
        _policy = policy;
        _shared = shared;
        _problems = problems;
        _clauses = new ClauseCompiler(policy, mesh, isTcp);
    }

    private bool IsAllow => _policy.Action == PolicyAction.Allow;

    public IEnumerable<CompiledRule> Compile()
    {
        for (var i = 0; i < _policy.Rules.Length; i++)
        {
            _isUsable = true;
            var rule = _policy.Rules[i];
            var field = $"spec.rules[{i}]";
            var compiled = new CompiledRule
            {
                Id = $"ns[{_policy.Metadata.Namespace}]-policy[{_policy.Metadata.Name}]-rule[{i}]",
                Provider = _policy.ProviderName,
                From = [.. rule.From.Select((s, j) => CompileSource(s, $"{field}.from[{j}].source"))],
                To = [.. rule.To.Select((o, j) => CompileOperation(o, $"{field}.to[{j}].operation"))],
                When = [.. rule.When.SelectMany((c, j) => CompileCondition(c, $"{field}.when[{j}]"))],
            };
            if (_isUsable || !IsAllow)
            {
                yield return compiled;
            }
        }
    }

    private Clause[] CompileSource(RequestSource source, string field)
    {
        var clauses = new List<Clause>();
        Add(clauses, AttributeKind.PeerPrincipal, source.Principals, source.NotPrincipals, field, "principals");
        Add(clauses, AttributeKind.RequestPrincipal, source.RequestPrincipals, source.NotRequestPrincipals, field, "requestPrincipals");
        Add(clauses, AttributeKind.PeerNamespace, source.Namespaces, source.NotNamespaces, field, "namespaces");
        Add(clauses, AttributeKind.PeerServiceAccount, source.ServiceAccounts, source.NotServiceAccounts, field, "serviceAccounts");
        Add(clauses, AttributeKind.PeerAddress, source.IpBlocks, source.NotIpBlocks, field, "ipBlocks");
        Add(clauses, AttributeKind.RemoteAddress, source.RemoteIpBlocks, source.NotRemoteIpBlocks, field, "remoteIpBlocks");
        Add(clauses, AttributeKind.PeerTrustDomain, source.TrustDomains, source.NotTrustDomains, field, "trustDomains");
        return [.. clauses];
    }

    private Clause[] CompileOperation(Operation operation, string field)
    {
        var clauses = new List<Clause>();
        Add(clauses, AttributeKind.Host, operation.Hosts, operation.NotHosts, field, "hosts");
        Add(clauses, AttributeKind.LocalPort, operation.Ports, operation.NotPorts, field, "ports");
        Add(clauses, AttributeKind.Method, operation.Methods, operation.NotMethods, field, "methods");
        Add(clauses, AttributeKind.Path, operation.Paths, operation.NotPaths, field, "paths");
        return [.. clauses];
    }

    private List<Clause> CompileCondition(Condition condition, string field)
    {
        var clauses = new List<Clause>();
        if (!ConditionKey.TryParse(condition.Key, out var attribute, out var reason))
        {
            Report($"{field}.key", reason, "use one of the keys that Istio's reference lists under Authorization Policy Conditions");
        }
        else if (condition.Values.IsEmpty && condition.NotValues.IsEmpty)
        {
            Report(field, $"at least one of `values` or `notValues` must be set for key `{condition.Key}`", "list the values");
        }
        else
        {
            if (attribute.Kind == AttributeKind.Metadata)
            {
                _problems.Add(Problem.At(
                    _policy, $"{field}.key", ProblemSeverity.Warning, ProblemCodes.Unsupported, $"nothing here sets `{condition.Key}`: it is always absent"));
            }

            Add(clauses, attribute, condition.Values, isNegated: false, $"{field}.values");
            Add(clauses, attribute, condition.NotValues, isNegated: true, $"{field}.notValues");
        }

        return clauses;
    }

    private void Add(
        List<Clause> clauses, AttributeKind kind, ImmutableArray<string> values, ImmutableArray<string> notValues, string field, string name)
    {
        Add(clauses, new ConditionKey(kind), values, isNegated: false, $"{field}.{name}");
        Add(clauses, new ConditionKey(kind), notValues, isNegated: true, $"{field}.not{char.ToUpperInvariant(name[0])}{name[1..]}");
    }

    private void Add(List<Clause> clauses, ConditionKey attribute, ImmutableArray<string> values, bool isNegated, string field)
    {
        if (values.IsDefaultOrEmpty)
        {
            return;
        }

        var usable = new List<string>();
        for (var i = 0; i < values.Length; i++)
        {
            if (_clauses.Check(attribute, values[i]) is { } reason)
            {
                Report($"{field}[{i}]", reason, remedy: null);
            }
            else
            {
                usable.Add(values[i]);
            }
        }

        if (usable.Count > 0)
        {
            clauses.Add(_shared.Get(_clauses, _policy.Metadata.Namespace, attribute, usable, isNegated));
        }
    }

    private void Report(string field, string reason, string? remedy)
    {
        _isUsable = false;
        var consequence = IsAllow ? "the rule is left out, so it allows nothing" : "the rule applies as if this were not there";
        _problems.Add(Problem.At(_policy, field, ProblemSeverity.Error, ProblemCodes.InvalidValue, $"{reason}; {consequence}", remedy));
    }
}
