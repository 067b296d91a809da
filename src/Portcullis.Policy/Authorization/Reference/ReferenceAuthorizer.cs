using System.Collections.Immutable;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Policy.Authorization.Reference;

/// <summary>
/// AuthorizationPolicy as its specification reads, straight from the records: slow and obvious. What runs is <see cref="Authorizer"/>; property tests hold
/// the two to the same answer.
/// </summary>
public sealed class ReferenceAuthorizer
{
    private readonly ImmutableArray<AuthorizationPolicy> _policies;
    private readonly MeshConfig _mesh;
    private readonly ImmutableArray<string?> _tokenIssuers;

    /// <summary>Takes what <see cref="Authorizer.Compile"/> takes.</summary>
    public ReferenceAuthorizer(
        IEnumerable<AuthorizationPolicy> policies, MeshConfig mesh, WorkloadIdentity workload, IEnumerable<string?> tokenIssuers)
    {
        _policies = [.. policies.Where(p => PolicyAttachment.AppliesTo(p, p.Selection, workload))];
        _mesh = mesh;
        _tokenIssuers = [.. tokenIssuers.Select(i => string.IsNullOrEmpty(i) ? null : i)];
    }

    /// <summary>The first CUSTOM rule that matches, if any.</summary>
    public CustomMatch? EvaluateCustom<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var seen = ReferenceRequest.Of(in request);
        return FirstMatch(PolicyAction.Custom, isDryRun: false, seen, Readings(seen.Path)) is var (policy, id)
            ? new CustomMatch(policy.ProviderName ?? "", id)
            : null;
    }

    /// <summary>Decides by the AUDIT, DENY and ALLOW policies.</summary>
    public Decision Evaluate<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var seen = ReferenceRequest.Of(in request);
        string[] path = [seen.Path];
        var readings = Readings(seen.Path);

        bool? audit = HasAny(PolicyAction.Audit) ? FirstMatch(PolicyAction.Audit, false, seen, path) is not null : null;
        var shadowDeny = FirstMatch(PolicyAction.Deny, true, seen, readings)?.Id;
        var shadowAllow = FirstMatch(PolicyAction.Allow, true, seen, path)?.Id;
        var decision = new Decision(
            DecisionOutcome.Allowed,
            PolicyId: null,
            audit,
            HasAny(PolicyAction.Deny, isDryRun: true) ? new ShadowResult(shadowDeny is null, shadowDeny) : null,
            HasAny(PolicyAction.Allow, isDryRun: true) ? new ShadowResult(shadowAllow is not null, shadowAllow) : null);

        if (FirstMatch(PolicyAction.Deny, false, seen, readings) is var (_, denyId))
        {
            return decision with { Outcome = Denied(seen), PolicyId = denyId };
        }

        if (!HasAny(PolicyAction.Allow))
        {
            return decision;
        }

        return FirstMatch(PolicyAction.Allow, false, seen, path) is var (_, allowId)
            ? decision with { PolicyId = allowId }
            : decision with { Outcome = Denied(seen) };
    }

    /// <summary>A denial that the client could have been spared with another token is a challenge.</summary>
    internal DecisionOutcome Denied(ReferenceRequest request)
    {
        var isPreflight = request.Method == "OPTIONS"
            && request.IsNotEmpty("origin")
            && request.IsNotEmpty("access-control-request-method");
        return _mesh.AuthorizationDenied == AuthorizationDeniedMode.Challenge && !isPreflight && _tokenIssuers.Any(i => CouldPass(request, i))
            ? DecisionOutcome.Challenge
            : DecisionOutcome.Forbidden;
    }

    /// <summary>The issuers of which some token could pass; <see langword="null"/> stands for any issuer.</summary>
    internal IEnumerable<string?> IssuersThatCouldPass(ReferenceRequest request) => _tokenIssuers.Where(i => CouldPass(request, i));

    private bool CouldPass(ReferenceRequest request, string? issuer)
    {
        var open = request.WithOpenIdentity(issuer);
        var isCertainlyDenied = Rules(PolicyAction.Deny, isDryRun: false)
            .Any(r => Readings(request.Path).Any(p => r.Rule.Evaluate(open, p) == Truth.True));
        var isPossiblyAllowed = !HasAny(PolicyAction.Allow)
            || Rules(PolicyAction.Allow, isDryRun: false).Any(r => r.Rule.Evaluate(open, request.Path) != Truth.False);
        return !isCertainlyDenied && isPossiblyAllowed;
    }

    private bool HasAny(PolicyAction action, bool isDryRun = false) => _policies.Any(p => p.Action == action && IsDryRun(p) == isDryRun);

    /// <summary>The rules of an action in the order of their ids: the first that any of the paths satisfies.</summary>
    private (AuthorizationPolicy Policy, string Id)? FirstMatch(PolicyAction action, bool isDryRun, ReferenceRequest request, string[] paths)
    {
        foreach (var (policy, id, rule) in Rules(action, isDryRun))
        {
            if (paths.Any(p => rule.Evaluate(request, p) == Truth.True))
            {
                return (policy, id);
            }
        }

        return null;
    }

    private IEnumerable<(AuthorizationPolicy Policy, string Id, ReferenceRule Rule)> Rules(PolicyAction action, bool isDryRun) =>
        _policies
            .Where(p => p.Action == action && IsDryRun(p) == isDryRun)
            .SelectMany(p => p.Rules.Select((rule, i) => (
                Policy: p,
                Id: $"ns[{p.Metadata.Namespace}]-policy[{p.Metadata.Name}]-rule[{i}]",
                Rule: new ReferenceRule(p, rule, _mesh))))
            .OrderBy(r => r.Id, StringComparer.Ordinal);

    /// <summary>What a DENY rule is held against: the path, and the other readings of it.</summary>
    internal string[] Readings(string path)
    {
        if (_mesh.DenyPathReadings == DenyPathReadingsMode.Exact)
        {
            return [path];
        }

        var readings = PathReadings.Of(path);
        return [.. Enumerable.Range(0, readings.Count).Select(i => readings[i])];
    }

    internal static bool IsDryRun(AuthorizationPolicy policy) =>
        policy.Metadata.Annotations.TryGetValue("istio.io/dry-run", out var text)
        && text is "1" or "t" or "T" or "TRUE" or "true" or "True";
}
