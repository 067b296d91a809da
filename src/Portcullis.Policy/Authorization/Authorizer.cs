using Portcullis.Matching;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// The AuthorizationPolicies of one gateway in their runtime form. Immutable and safe for any number of threads; deciding allocates nothing for a request
/// that passes.
/// </summary>
/// <remarks>CUSTOM policies are tried by <see cref="EvaluateCustom"/>, before the token is verified; all others by <see cref="Evaluate"/>, after it.</remarks>
public sealed class Authorizer
{
    private readonly RuleIndex _custom;
    private readonly RuleIndex _audit;
    private readonly RuleIndex _deny;
    private readonly RuleIndex _allow;
    private readonly RuleIndex _shadowDeny;
    private readonly RuleIndex _shadowAllow;
    private readonly PolicySets _attached;
    private readonly bool _readsAllPaths;
    private readonly string?[] _tokenIssuers;

    private Authorizer(PolicyRules rules, MeshConfig mesh, IEnumerable<string?> tokenIssuers)
    {
        _custom = new RuleIndex(rules.Of(PolicySets.Custom));
        _audit = new RuleIndex(rules.Of(PolicySets.Audit));
        _deny = new RuleIndex(rules.Of(PolicySets.Deny));
        _allow = new RuleIndex(rules.Of(PolicySets.Allow));
        _shadowDeny = new RuleIndex(rules.Of(PolicySets.ShadowDeny));
        _shadowAllow = new RuleIndex(rules.Of(PolicySets.ShadowAllow));
        _attached = rules.Attached;
        _readsAllPaths = mesh.DenyPathReadings == DenyPathReadingsMode.All;
        _tokenIssuers = mesh.AuthorizationDenied == AuthorizationDeniedMode.Challenge
            ? [.. tokenIssuers.Select(i => string.IsNullOrEmpty(i) ? null : i).Distinct()]
            : [];
    }

    /// <summary>Whether any CUSTOM policy is attached, so that <see cref="EvaluateCustom"/> can have an answer.</summary>
    public bool HasCustom => !_custom.IsEmpty;

    /// <summary>Compiles policies.</summary>
    /// <param name="policies">Those that <see cref="PolicyAttachment"/> does not attach to the workload are left out.</param>
    /// <param name="mesh">Trust domains, and the modes of denial, of tokens without subject, and of path readings.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="tokenIssuers">
    /// Issuers of the JWT rules that are attached; a <see langword="null"/> entry is a rule that accepts every issuer. None at all: there is no token that a
    /// client could be asked for, and no <see cref="DecisionOutcome.Challenge"/>.
    /// </param>
    /// <param name="problems">Receives what cannot be used; see <see cref="Problem.Message"/> for what is done instead.</param>
    public static Authorizer Compile(
        IEnumerable<AuthorizationPolicy> policies,
        MeshConfig mesh,
        WorkloadIdentity workload,
        IEnumerable<string?> tokenIssuers,
        ICollection<Problem> problems) =>
        new(PolicyRules.Compile(policies, mesh, workload, isTcp: false, problems), mesh, tokenIssuers);

    /// <summary>
    /// Compiles policies for a TCP listener, where there are neither requests nor tokens: what speaks of them is unusable, as any other error
    /// (authorization.md §7.3).
    /// </summary>
    public static Authorizer CompileForTcp(
        IEnumerable<AuthorizationPolicy> policies, MeshConfig mesh, WorkloadIdentity workload, ICollection<Problem> problems) =>
        new(PolicyRules.Compile(policies, mesh, workload, isTcp: true, problems), mesh, []);

    /// <summary>Whether the policy only rehearses (<c>istio.io/dry-run</c>); a CUSTOM policy that does has no effect at all.</summary>
    public static bool IsDryRun(AuthorizationPolicy policy) => PolicyRules.IsDryRun(policy);

    /// <summary>The first CUSTOM rule, in the order of their ids, that matches; its claims are not looked at.</summary>
    /// <returns><see langword="null"/> when there is none, and the request goes on.</returns>
    public CustomMatch? EvaluateCustom<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        FirstOfAnyReading(_custom, in request) is { } rule ? new CustomMatch(rule.Provider ?? "", rule.Id) : null;

    /// <summary>Decides by the AUDIT, DENY and ALLOW policies, in this order.</summary>
    /// <param name="request">The request, its path normalised and its token verified.</param>
    public Decision Evaluate<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        bool? audit = Has(PolicySets.Audit) ? _audit.First(in request) is not null : null;
        ShadowResult? denyShadow = Has(PolicySets.ShadowDeny) ? ShadowDeny(in request) : null;
        ShadowResult? allowShadow = Has(PolicySets.ShadowAllow) ? ShadowAllow(in request) : null;
        if (FirstOfAnyReading(_deny, in request) is { } deny)
        {
            return new Decision(Denied(in request), deny.Id, audit, denyShadow, allowShadow);
        }

        if (!Has(PolicySets.Allow))
        {
            return new Decision(DecisionOutcome.Allowed, null, audit, denyShadow, allowShadow);
        }

        var allow = _allow.First(in request);
        return new Decision(allow is null ? Denied(in request) : DecisionOutcome.Allowed, allow?.Id, audit, denyShadow, allowShadow);
    }

    private bool Has(PolicySets set) => (_attached & set) != 0; // HasFlag boxes in code that is not yet optimised

    private ShadowResult ShadowDeny<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var rule = FirstOfAnyReading(_shadowDeny, in request);
        return new ShadowResult(IsAllowed: rule is null, rule?.Id);
    }

    private ShadowResult ShadowAllow<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var rule = _shadowAllow.First(in request);
        return new ShadowResult(IsAllowed: rule is not null, rule?.Id);
    }

    /// <summary>What a policy is to stop must not slip by in a spelling that the backend may read as another path.</summary>
    private CompiledRule? FirstOfAnyReading<TRequest>(RuleIndex rules, ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        if (rules.IsEmpty)
        {
            return null;
        }

        return _readsAllPaths ? rules.First(in request, PathReadings.Of(request.Path)) : rules.First(in request);
    }

    private DecisionOutcome Denied<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        if (JwtAuthenticator.IsPreflight(in request))
        {
            return DecisionOutcome.Forbidden; // whatever token comes with it is not read
        }

        // What no token at all could pass, none of a certain issuer could.
        if (_tokenIssuers.Length == 0 || !CouldPass(in request, issuer: null))
        {
            return DecisionOutcome.Forbidden;
        }

        foreach (var issuer in _tokenIssuers)
        {
            if (CouldPass(in request, issuer))
            {
                return DecisionOutcome.Challenge;
            }
        }

        return DecisionOutcome.Forbidden;
    }

    /// <summary>Whether some token of an issuer could pass: no DENY rule is certain, and some ALLOW rule is possible.</summary>
    private bool CouldPass<TRequest>(ref readonly TRequest request, string? issuer) where TRequest : struct, IRequestAttributes
    {
        var readings = PathReadings.Of(request.Path);
        for (var i = 0; i < (_readsAllPaths ? readings.Count : 1); i++)
        {
            if (_deny.AnyCertain(in request, readings[i], issuer))
            {
                return false;
            }
        }

        return !Has(PolicySets.Allow) || _allow.AnyPossible(in request, request.Path, issuer);
    }
}
