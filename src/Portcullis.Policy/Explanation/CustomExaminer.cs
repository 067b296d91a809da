using System.Collections.Immutable;

namespace Portcullis.Policy.Explanation;

/// <summary>A CUSTOM rule that denies, because its authorizer cannot be asked.</summary>
internal sealed record CustomDenial(string Provider, string RuleId, string Reason);

/// <summary>Tells whom the CUSTOM policies that match would have asked, provider by provider in the order of names, and what follows from each answer.</summary>
internal sealed class CustomExaminer(ImmutableArray<ExternalAuthorizerFacts> authorizers)
{
    /// <summary>Examines evaluated CUSTOM policies.</summary>
    /// <returns>The questions, up to the first provider that cannot be asked, if there is one.</returns>
    public (ImmutableArray<ExternalCheck> Checks, CustomDenial? Denial) Examine(ImmutableArray<PolicyExplanation> custom)
    {
        var matches = custom.Where(p => !p.IsDryRun)
            .SelectMany(p => p.Rules.Where(r => r.Matches).Select(r => (Provider: p.Provider ?? "", r.Id)))
            .GroupBy(m => m.Provider, m => m.Id, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal);
        var checks = ImmutableArray.CreateBuilder<ExternalCheck>();
        foreach (var provider in matches)
        {
            var rule = provider.Min(StringComparer.Ordinal)!;
            var facts = authorizers.FirstOrDefault(a => a.Name == provider.Key);
            if (facts is not { Unusable: null })
            {
                return (checks.ToImmutable(), new(provider.Key, rule, facts?.Unusable ?? "the mesh configuration has no such provider in `extensionProviders`"));
            }

            checks.Add(new(
                facts.Name,
                facts.Address,
                rule,
                "the request goes on to the token and to the AUDIT, DENY and ALLOW policies, which may still refuse it",
                "the client gets the authorizer's own answer, and nothing else is looked at",
                facts.FailOpen ? "the request goes on (failOpen)" : $"{facts.StatusOnError} with an empty body"));
        }

        return (checks.ToImmutable(), null);
    }

    /// <summary>The condition that the rest of an explanation stands under.</summary>
    public static string Condition(ImmutableArray<ExternalCheck> checks) =>
        $"if the external authorizer{(checks.Length == 1 ? "" : "s")} {string.Join(" and ", checks.Select(c => $"`{c.Provider}`"))} allow{(checks.Length == 1 ? "s" : "")} it";
}
