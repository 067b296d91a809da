using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>The merged rules of all attached policies in issuer order, with the places they read and the headers they write (authentication.md §4–§6).</summary>
internal sealed class JwtRuleProgram
{
    private JwtRuleProgram(CompiledJwtRule[] rules, TokenLocation[] locations, ImmutableArray<string> outputHeaders)
    {
        Rules = rules;
        Locations = locations;
        OutputHeaders = outputHeaders;
    }

    /// <summary>In issuer order.</summary>
    public CompiledJwtRule[] Rules { get; }

    /// <summary>Distinct, in the order of collection; each has at least one rule that reads it.</summary>
    public TokenLocation[] Locations { get; }

    /// <summary>Every header that any rule writes, each once.</summary>
    public ImmutableArray<string> OutputHeaders { get; }

    public static JwtRuleProgram Compile(
        IEnumerable<RequestAuthentication> attached, IJwksResolver keys, AuthenticationOptions options, ICollection<Problem> problems)
    {
        JwtRuleSource[] sources = [.. Merge(attached, options.RootNamespace)];
        var keySources = sources.Select(s => JwtRuleKeys.For(s, keys, problems)).ToArray();
        var outputs = sources.Select(s => JwtRuleOutputs.Compile(s, options.IstioExact, problems)).ToArray();
        var visible = VisibleLocations(sources, outputs);
        var locations = Number(visible);

        var rules = new CompiledJwtRule[sources.Length];
        for (var i = 0; i < rules.Length; i++)
        {
            var rule = sources[i].Rule;
            rules[i] = new()
            {
                Ordinal = i,
                Reference = new(sources[i].Policy.Id, sources[i].Index),
                Issuer = string.IsNullOrEmpty(rule.Issuer) ? null : rule.Issuer,
                Audiences = new(rule.Audiences),
                Keys = keySources[i],
                Locations = [.. visible[i].Select(p => locations[p]).OrderBy(l => l.Index)],
                IsRequired = rule.Presence == JwtPresence.Required,
                ForwardsToken = rule.ForwardOriginalToken,
                RemovesTokenCookie = sources[i].Policy.Metadata.Annotations.GetValueOrDefault(PolicyAnnotations.RemoveTokenCookie) == "true",
                PayloadHeader = outputs[i].PayloadHeader,
                ClaimHeaders = outputs[i].ClaimHeaders,
                SpaceDelimited = [.. Matching.ClaimSet.AlwaysSpaceDelimited.Union(rule.SpaceDelimitedClaims, StringComparer.Ordinal)],
            };
        }

        JwtRuleConflicts.Report(sources, outputs, problems);
        return new(
            rules,
            [.. locations.Values.OrderBy(l => l.Index)],
            [.. outputs.SelectMany(o => o.Headers).Distinct(StringComparer.OrdinalIgnoreCase)]);
    }

    /// <summary>The workload's namespace, then the root namespace; then by issuer, a missing one first, equal ones in the order of merging.</summary>
    private static IEnumerable<JwtRuleSource> Merge(IEnumerable<RequestAuthentication> attached, string rootNamespace) => attached
        .OrderBy(p => string.Equals(p.Metadata.Namespace, rootNamespace, StringComparison.Ordinal))
        .SelectMany(p => p.JwtRules.Select((r, i) => new JwtRuleSource(p, r, i)))
        .OrderBy(r => r.Rule.Issuer ?? "", StringComparer.Ordinal);

    /// <summary>
    /// A rule deletes the headers it writes before it looks for tokens, and rules run in order, so neither it nor a later rule finds a token there.
    /// </summary>
    private static TokenPlace[][] VisibleLocations(JwtRuleSource[] sources, JwtRuleOutputs[] outputs)
    {
        var deleted = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var visible = new TokenPlace[sources.Length][];
        for (var i = 0; i < sources.Length; i++)
        {
            deleted.UnionWith(outputs[i].Headers);
            visible[i] = [.. TokenPlace.Of(sources[i].Rule).Where(p => !deleted.Contains(p.Carrier))];
        }

        return visible;
    }

    private static Dictionary<TokenPlace, TokenLocation> Number(TokenPlace[][] places) => places
        .SelectMany(p => p)
        .Distinct()
        .OrderBy(p => p.Kind)
        .ThenBy(p => p.Name + p.Prefix, StringComparer.Ordinal)
        .ThenBy(p => p.Name, StringComparer.Ordinal)
        .Select((p, i) => (Place: p, Location: new TokenLocation(p.Kind, p.Name, p.Prefix, i)))
        .ToDictionary(p => p.Place, p => p.Location);
}

/// <summary>A rule as its author wrote it, and where.</summary>
internal sealed record JwtRuleSource(RequestAuthentication Policy, JwtRule Rule, int Index)
{
    public string FieldPath => $"spec.jwtRules[{Index}]";

    public override string ToString() => $"{FieldPath} of {Policy.Id}";
}
