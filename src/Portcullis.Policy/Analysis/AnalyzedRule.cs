using System.Collections.Immutable;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>One list of values: a field of a source or operation, or one side of a condition.</summary>
/// <param name="Attribute">What it is about; equal for the field and the condition of one attribute.</param>
/// <param name="Key">The attribute read.</param>
/// <param name="Values">Never empty.</param>
/// <param name="IsNegated">None of the values, instead of any.</param>
/// <param name="Path">Field path of the list.</param>
internal sealed record Term(string Attribute, ConditionKey Key, ImmutableArray<string> Values, bool IsNegated, string Path)
{
    public AttributeKind Kind => Key.Kind;

    /// <summary>The field as its author wrote it, such as <c>notPaths</c>.</summary>
    public string Field => Path[(Path.LastIndexOf('.') + 1)..];
}

/// <summary>A rule of an attached policy, taken apart.</summary>
internal sealed class AnalyzedRule
{
    public AnalyzedRule(AuthorizationPolicy policy, AuthorizationRule rule, int index)
    {
        (Policy, Index) = (policy, index);
        Path = $"spec.rules[{index}]";
        From = [.. rule.From.Select((s, i) => SourceTerms(s, $"{Path}.from[{i}].source"))];
        To = [.. rule.To.Select((o, i) => OperationTerms(o, $"{Path}.to[{i}].operation"))];
        When = [.. rule.When.SelectMany((c, i) => ConditionTerms(c, $"{Path}.when[{i}]"))];
    }

    public AuthorizationPolicy Policy { get; }

    public int Index { get; }

    public string Path { get; }

    /// <summary>Any of them; none is any source.</summary>
    public Term[][] From { get; }

    /// <summary>Any of them; none is any operation.</summary>
    public Term[][] To { get; }

    /// <summary>All of them.</summary>
    public Term[] When { get; }

    public bool IsAllow => Policy.Action == PolicyAction.Allow;

    /// <summary>Every list of the rule.</summary>
    public IEnumerable<Term> Terms => [.. From.SelectMany(t => t), .. To.SelectMany(t => t), .. When];

    /// <summary>No request without a verified token can match.</summary>
    public bool NeedsToken => (From.Length > 0 && From.All(HasToken)) || HasToken(When);

    /// <summary>Requests without a token can match because they have none.</summary>
    public bool AsksForAbsentToken => Terms.Any(t => t is { IsNegated: true, Key.IsOfToken: true });

    /// <summary>Name for messages about another rule.</summary>
    public string Describe(AnalyzedRule seenFrom) =>
        ReferenceEquals(seenFrom.Policy, Policy) ? $"rule {Index} of the same policy" : $"rule {Index} of {Policy.Id}";

    private static bool HasToken(Term[] terms) => Array.Exists(terms, t => t is { IsNegated: false, Key.IsOfToken: true });

    private static Term[] SourceTerms(RequestSource source, string path)
    {
        var terms = new List<Term>();
        Add(terms, AttributeKind.PeerPrincipal, source.Principals, source.NotPrincipals, path, "principals");
        Add(terms, AttributeKind.RequestPrincipal, source.RequestPrincipals, source.NotRequestPrincipals, path, "requestPrincipals");
        Add(terms, AttributeKind.PeerNamespace, source.Namespaces, source.NotNamespaces, path, "namespaces");
        Add(terms, AttributeKind.PeerServiceAccount, source.ServiceAccounts, source.NotServiceAccounts, path, "serviceAccounts");
        Add(terms, AttributeKind.PeerAddress, source.IpBlocks, source.NotIpBlocks, path, "ipBlocks");
        Add(terms, AttributeKind.RemoteAddress, source.RemoteIpBlocks, source.NotRemoteIpBlocks, path, "remoteIpBlocks");
        Add(terms, AttributeKind.PeerTrustDomain, source.TrustDomains, source.NotTrustDomains, path, "trustDomains");
        return [.. terms];
    }

    private static Term[] OperationTerms(Operation operation, string path)
    {
        var terms = new List<Term>();
        Add(terms, AttributeKind.Host, operation.Hosts, operation.NotHosts, path, "hosts");
        Add(terms, AttributeKind.LocalPort, operation.Ports, operation.NotPorts, path, "ports");
        Add(terms, AttributeKind.Method, operation.Methods, operation.NotMethods, path, "methods");
        Add(terms, AttributeKind.Path, operation.Paths, operation.NotPaths, path, "paths");
        return [.. terms];
    }

    private static IEnumerable<Term> ConditionTerms(Condition condition, string path)
    {
        if (!ConditionKey.TryParse(condition.Key, out var key, out _))
        {
            yield break;
        }

        var attribute = key.Kind switch
        {
            AttributeKind.Header => $"header {key.Header!.ToLowerInvariant()}",
            AttributeKind.Claim => $"claim {key.Claim}",
            AttributeKind.Metadata => condition.Key,
            _ => key.Kind.ToString(),
        };
        if (!condition.Values.IsDefaultOrEmpty)
        {
            yield return new(attribute, key, condition.Values, false, $"{path}.values");
        }

        if (!condition.NotValues.IsDefaultOrEmpty)
        {
            yield return new(attribute, key, condition.NotValues, true, $"{path}.notValues");
        }
    }

    private static void Add(
        List<Term> terms, AttributeKind kind, ImmutableArray<string> values, ImmutableArray<string> notValues, string path, string field)
    {
        if (!values.IsDefaultOrEmpty)
        {
            terms.Add(new(kind.ToString(), new(kind), values, false, $"{path}.{field}"));
        }

        if (!notValues.IsDefaultOrEmpty)
        {
            terms.Add(new(kind.ToString(), new(kind), notValues, true, $"{path}.not{char.ToUpperInvariant(field[0])}{field[1..]}"));
        }
    }
}
