using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Matching;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Resources;

namespace Portcullis.Policy.Explanation;

/// <summary>
/// Tells how one revision of the policies decides requests, from the reference evaluator. Immutable but for a cache of places; safe for concurrent use. Slow: for
/// people and tests, not for the request path.
/// </summary>
public sealed class RequestExplainer
{
    private readonly MeshConfig _mesh;
    private readonly JwtAuthenticator? _authenticator;
    private readonly ReferenceAuthorizer _reference;
    private readonly ImmutableArray<ExplainedPolicy> _policies;
    private readonly bool _hasTokenRules;
    private readonly ImmutableArray<ExternalAuthorizerFacts> _authorizers;

    /// <param name="resources">All resources; policies that do not apply to the workload are left out.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="authenticator">The JWT stage of these resources; <see langword="null"/> when no rule is attached.</param>
    /// <param name="authorizers">The external authorizers; one that is not among them cannot be asked.</param>
    public RequestExplainer(
        ResourceSet resources, WorkloadIdentity workload, JwtAuthenticator? authenticator, ImmutableArray<ExternalAuthorizerFacts> authorizers = default)
    {
        ArgumentNullException.ThrowIfNull(resources);
        _mesh = resources.Mesh;
        workload = _mesh.RootNamespace is { } root ? workload with { RootNamespace = root } : workload;
        _authenticator = authenticator;
        _authorizers = authorizers.IsDefault ? [] : authorizers;
        var issuers = resources.OfType<RequestAuthentication>()
            .Where(r => PolicyAttachment.AppliesTo(r, r.Selection, workload))
            .SelectMany(a => a.JwtRules)
            .Select(r => r.Issuer)
            .ToImmutableArray();
        _hasTokenRules = !issuers.IsEmpty;
        var policies = resources.OfType<AuthorizationPolicy>().Where(p => PolicyAttachment.AppliesTo(p, p.Selection, workload)).ToImmutableArray();
        _reference = new ReferenceAuthorizer(policies, _mesh, workload, issuers);
        _policies = [.. policies.Select(p => new ExplainedPolicy(p, _mesh)).OrderBy(p => p.Order).ThenBy(p => p.SortKey, StringComparer.Ordinal)];
    }

    /// <summary>Names and shape of the attached policies, evaluated or not: what coverage counts.</summary>
    public ImmutableArray<AuthorizationPolicy> Policies => [.. _policies.Select(p => p.Policy)];

    /// <summary>How paths are normalised.</summary>
    public PathNormalization NormalizationMode => _mesh.PathNormalization switch
    {
        PathNormalizationMode.None => PathNormalization.None,
        PathNormalizationMode.MergeSlashes => PathNormalization.MergeSlashes,
        PathNormalizationMode.DecodeAndMergeSlashes => PathNormalization.DecodeAndMergeSlashes,
        _ => PathNormalization.Base,
    };

    /// <summary>Explains a request.</summary>
    /// <param name="facts">The request as it arrives.</param>
    /// <param name="now">When: tokens expire.</param>
    /// <param name="view">The request as routes see it; only meaningful when it passes.</param>
    public DecisionExplanation Explain(RequestFacts facts, DateTimeOffset now, out FactsView view)
    {
        ArgumentNullException.ThrowIfNull(facts);
        view = new FactsView(facts, "/", null);
        var request = new RequestExplanation
        {
            Method = facts.Method,
            Authority = facts.Authority,
            Target = SecretRedaction.Target(facts.Target),
            Normalization = NormalizationMode.ToString(),
            LocalPort = facts.LocalPort,
        };
        if (!facts.Target.StartsWith('/'))
        {
            return Malformed(request, 404, "the target is not a path");
        }

        if (!PathNormalizer.TryNormalize(facts.Target, NormalizationMode, out var path, out var query))
        {
            return Malformed(request, 400, "the path holds a NUL, which normalisation refuses");
        }

        view = new FactsView(facts, path, query);
        request = request with { Path = path, DenyReadings = [.. _reference.Readings(path).Distinct().Where(r => r != path)] };
        var anonymous = ReferenceRequest.Of(in view);
        var custom = Explain(anonymous, p => p.Action == PolicyAction.Custom);
        var (checks, cannotBeAsked) = new CustomExaminer(_authorizers).Examine(custom);
        if (cannotBeAsked is { } denied)
        {
            return DeniedByCustom(request, denied, checks, custom);
        }

        var (result, identity) = Identify(view, facts, now);
        if (!result.IsAccepted)
        {
            return AfterChecks(Refused(request, identity, result.Status, custom), checks);
        }

        view = view.After(facts.Known is { } known ? known.Claims : result.Identity?.Claims, result.Edits);
        return AfterChecks(ExplainPolicies(in view, request, identity, custom), checks);
    }

    private static DecisionExplanation AfterChecks(DecisionExplanation explained, ImmutableArray<ExternalCheck> checks) => checks.IsEmpty
        ? explained
        : explained with { ExternalChecks = checks, Reason = $"{CustomExaminer.Condition(checks)}: {explained.Reason}" };

    /// <summary>Explains what the AUDIT, DENY and ALLOW policies make of a request whose path is normalised and whose token is verified.</summary>
    public DecisionExplanation ExplainPolicies<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        var seen = ReferenceRequest.Of(in request);
        var path = request.Path;
        var summary = new RequestExplanation
        {
            Method = request.Method,
            Authority = request.Authority,
            Target = SecretRedaction.Target(request.Query is null ? path : $"{path}?{request.Query}"),
            Path = path,
            Normalization = NormalizationMode.ToString(),
            DenyReadings = [.. _reference.Readings(path).Distinct().Where(r => r != path)],
            LocalPort = request.LocalPort,
        };
        return ExplainPolicies(in request, summary, Identity(request.Claims, JwtStatus.Ok, null, [], null), Explain(seen, p => p.Action == PolicyAction.Custom));
    }

    private DecisionExplanation ExplainPolicies<TRequest>(
        ref readonly TRequest request, RequestExplanation summary, IdentityExplanation identity, ImmutableArray<PolicyExplanation> custom)
        where TRequest : struct, IRequestAttributes
    {
        var seen = ReferenceRequest.Of(in request);
        ImmutableArray<PolicyExplanation> policies = [.. custom, .. Explain(seen, p => p.Action != PolicyAction.Custom)];
        var verdict = new PolicyVerdict(policies);
        var outcome = verdict.IsAllowed ? DecisionOutcome.Allowed : _reference.Denied(seen);
        return new DecisionExplanation
        {
            Outcome = outcome switch
            {
                DecisionOutcome.Allowed => ExplainedOutcome.Allowed,
                DecisionOutcome.Challenge => ExplainedOutcome.Challenge,
                _ => ExplainedOutcome.Forbidden,
            },
            StatusCode = outcome switch { DecisionOutcome.Allowed => 200, DecisionOutcome.Challenge => 401, _ => 403 },
            Reason = $"{verdict.Reason}{(verdict.IsAllowed ? "" : $"; {WhyStatus(outcome, seen)}")}",
            PolicyId = verdict.Decisive?.Id,
            Request = summary,
            Identity = identity,
            Policies = policies,
            NearMisses = verdict.NearMisses(),
            SmallestChange = verdict.SmallestChange(),
        };
    }

    private ImmutableArray<PolicyExplanation> Explain(ReferenceRequest request, Func<AuthorizationPolicy, bool> which)
    {
        string[] path = [request.Path];
        string[] readings = [.. _reference.Readings(request.Path).Distinct()];
        return [.. _policies.Where(p => which(p.Policy)).Select(p => p.Explain(request, p.Policy.Action is PolicyAction.Deny or PolicyAction.Custom ? readings : path))];
    }

    private (AuthenticationResult Result, IdentityExplanation Identity) Identify(FactsView view, RequestFacts facts, DateTimeOffset now)
    {
        if (facts.Known is { } known)
        {
            var result = new AuthenticationResult(known.Status, null, null, null);
            return (result, Identity(known.Claims, known.Status, known.Rule, [], known.Note ?? (known.Claims is null ? "no token was accepted" : null)));
        }

        var (found, verdicts, note) = new TokenExaminer(_authenticator).Examine(view, facts, now);
        return (found, Identity(found.Identity?.Claims, found.Status, found.Rule?.ToString(), verdicts, note));
    }

    private IdentityExplanation Identity(ClaimSet? claims, JwtStatus status, string? rule, ImmutableArray<TokenVerdict> verdicts, string? note) => new()
    {
        Status = status == JwtStatus.Ok ? "ok" : status.Message,
        Principal = SeenValue.Principal(claims, _mesh),
        Claims = claims?.Payload,
        Rule = rule,
        Verdicts = verdicts,
        Note = note ?? (claims is not null && SeenValue.Principal(claims, _mesh) is null ? "the token makes no principal: it lacks `iss`, or `sub` (principalWithoutSub: Reject)" : null),
    };

    private static DecisionExplanation Malformed(RequestExplanation request, int status, string reason) => new()
    {
        Outcome = ExplainedOutcome.Malformed,
        StatusCode = status,
        Reason = reason,
        Request = request,
        Identity = new IdentityExplanation { Status = "not looked at" },
    };

    private static DecisionExplanation Refused(
        RequestExplanation request, IdentityExplanation identity, JwtStatus status, ImmutableArray<PolicyExplanation> custom) => new()
        {
            Outcome = ExplainedOutcome.TokenRefused,
            StatusCode = status.HttpStatusCode,
            Reason = $"{status.Message}; the policies are not reached",
            Request = request,
            Identity = identity,
            Policies = custom,
            SmallestChange = new SmallestChange("allow", TokenRemedy.For(status), []),
        };

    private string WhyStatus(DecisionOutcome outcome, ReferenceRequest request)
    {
        if (outcome == DecisionOutcome.Challenge)
        {
            var issuers = string.Join(", ", _reference.IssuersThatCouldPass(request).Select(i => i is null ? "any issuer" : $"`{i}`").Distinct());
            return $"401 and not 403, because another token of {issuers} could pass";
        }

        return _mesh.AuthorizationDenied == AuthorizationDeniedMode.Forbidden ? "403, because authorizationDenied is Forbidden"
            : !_hasTokenRules ? "403, because no RequestAuthentication says which tokens could be asked for"
            : "403, because no token of a configured issuer could change that";
    }

    /// <summary>An authorizer that cannot be asked denies what it would have been asked about (authorization.md §10).</summary>
    private static DecisionExplanation DeniedByCustom(
        RequestExplanation request, CustomDenial denied, ImmutableArray<ExternalCheck> checks, ImmutableArray<PolicyExplanation> custom) => AfterChecks(
        new DecisionExplanation
        {
            Outcome = ExplainedOutcome.Forbidden,
            StatusCode = 403,
            Reason = $"denied by {denied.RuleId}: its external authorizer `{denied.Provider}` cannot be asked, because {denied.Reason}",
            PolicyId = denied.RuleId,
            Request = request,
            Identity = new IdentityExplanation { Status = "not looked at" },
            Policies = custom,
            SmallestChange = new SmallestChange("allow", "mend the provider in the mesh configuration, or change the request so that the rule does not match", []),
        },
        checks);

    /// <summary>One policy, its rules ready to be evaluated.</summary>
    private sealed class ExplainedPolicy(AuthorizationPolicy policy, MeshConfig mesh)
    {
        private readonly ImmutableArray<RuleExplainer> _rules = [.. policy.Rules.Select((_, i) => new RuleExplainer(policy, i, mesh))];
        private readonly string? _place = RuleExplainer.Place(policy, "");

        public AuthorizationPolicy Policy => policy;

        public int Order => policy.Action switch { PolicyAction.Custom => 0, PolicyAction.Audit => 1, PolicyAction.Deny => 2, _ => 3 };

        public string SortKey => $"ns[{policy.Metadata.Namespace}]-policy[{policy.Metadata.Name}]";

        public PolicyExplanation Explain(ReferenceRequest request, string[] paths)
        {
            var rules = _rules.Select(r => r.Explain(request, paths)).ToImmutableArray();
            return new PolicyExplanation
            {
                Name = $"{policy.Metadata.Namespace}/{policy.Metadata.Name}",
                Action = policy.Action.ToString().ToUpperInvariant(),
                IsDryRun = ReferenceAuthorizer.IsDryRun(policy),
                Matches = rules.Any(r => r.Matches),
                Provider = policy.ProviderName,
                Place = _place,
                Rules = rules,
            };
        }
    }
}
