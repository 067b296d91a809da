using Portcullis.Resources;

namespace Portcullis.Policy.Authorization;

/// <summary>The sets that policies are pooled in.</summary>
[Flags]
internal enum PolicySets
{
    None = 0,
    Custom = 1,
    Audit = 2,
    Deny = 4,
    Allow = 8,
    ShadowDeny = 16,
    ShadowAllow = 32,
}

/// <summary>All rules of the attached policies, by set.</summary>
internal sealed class PolicyRules
{
    /// <summary>Annotation that makes a policy a rehearsal.</summary>
    public const string DryRunAnnotation = "istio.io/dry-run";

    private readonly List<(PolicySets Set, CompiledRule Rule)> _rules = [];

    /// <summary>Sets that a policy belongs to, even one without a usable rule: that one still turns on the default denial of ALLOW.</summary>
    public PolicySets Attached { get; private set; }

    public static PolicyRules Compile(
        IEnumerable<AuthorizationPolicy> policies, MeshConfig mesh, WorkloadIdentity workload, bool isTcp, ICollection<Problem> problems)
    {
        var rules = new PolicyRules();
        var clauses = new SharedClauses();
        foreach (var policy in policies)
        {
            if (!PolicyAttachment.AppliesTo(policy, policy.Selection, workload))
            {
                continue;
            }

            var set = SetOf(policy, problems);
            rules.Attached |= set;
            foreach (var rule in new RuleCompiler(policy, mesh, isTcp, clauses, problems).Compile())
            {
                rules._rules.Add((set, rule));
            }
        }

        return rules;
    }

    /// <summary>The rules of a set, in the order of their ids.</summary>
    public CompiledRule[] Of(PolicySets set) => [.. _rules.Where(r => r.Set == set).Select(r => r.Rule).OrderBy(r => r.Id, StringComparer.Ordinal)];

    /// <summary>Whether the policy only rehearses.</summary>
    public static bool IsDryRun(AuthorizationPolicy policy) =>
        policy.Metadata.Annotations.GetValueOrDefault(DryRunAnnotation) is "1" or "t" or "T" or "TRUE" or "true" or "True";

    private static PolicySets SetOf(AuthorizationPolicy policy, ICollection<Problem> problems)
    {
        var isDryRun = IsDryRun(policy, problems);
        return policy.Action switch
        {
            PolicyAction.Allow => isDryRun ? PolicySets.ShadowAllow : PolicySets.Allow,
            PolicyAction.Deny => isDryRun ? PolicySets.ShadowDeny : PolicySets.Deny,
            PolicyAction.Audit => isDryRun ? PolicySets.None : PolicySets.Audit,
            _ => isDryRun ? PolicySets.None : PolicySets.Custom,
        };
    }

    /// <summary>A Go boolean. What is none leaves the policy in force.</summary>
    private static bool IsDryRun(AuthorizationPolicy policy, ICollection<Problem> problems)
    {
        if (IsDryRun(policy))
        {
            return true;
        }

        switch (policy.Metadata.Annotations.GetValueOrDefault(DryRunAnnotation))
        {
            case null or "0" or "f" or "F" or "FALSE" or "false" or "False":
                return false;
            case var text:
                problems.Add(Problem.At(
                    policy,
                    $"metadata.annotations[{DryRunAnnotation}]",
                    ProblemSeverity.Warning,
                    ProblemCodes.InvalidValue,
                    $"`{text}` is not a boolean: the policy is enforced",
                    "write `true` or `false`"));
                return false;
        }
    }
}
