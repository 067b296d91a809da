using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Portcullis.Gateway.Explanation;
using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Gateway.Pipeline;
using Portcullis.Jose;
using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Authorization.Reference;
using Portcullis.Policy.Explanation;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>
/// Decides requests as the pipeline does: normalise, CUSTOM, token, AUDIT, DENY and ALLOW. The compiled program decides, as it does for traffic; the reference
/// evaluator explains, and must say the same.
/// </summary>
internal sealed partial class RequestJudge
{
    private readonly Authorizer _authorizer;
    private readonly ReferenceAuthorizer _reference;
    private readonly GatewayExplainer _afterCustom;
    private readonly RequestExplainer _all;
    private readonly ImmutableArray<(CustomProvider Provider, Authorizer Rules)> _providers;

    /// <param name="authorizer">The compiled policies, CUSTOM ones included.</param>
    /// <param name="reference">The same policies.</param>
    /// <param name="afterCustom">All but the CUSTOM policies: their authorizers answer by what a test says.</param>
    /// <param name="all">All policies.</param>
    /// <param name="providers">The external authorizers, by name, with the rules that ask each.</param>
    public RequestJudge(
        Authorizer authorizer,
        ReferenceAuthorizer reference,
        GatewayExplainer afterCustom,
        RequestExplainer all,
        ImmutableArray<(CustomProvider Provider, Authorizer Rules)> providers) =>
        (_authorizer, _reference, _afterCustom, _all, _providers) = (authorizer, reference, afterCustom, all, providers);

    /// <summary>Every policy, rule and clause, as they see a request that is of no interest.</summary>
    public ImmutableArray<PolicyExplanation> Shape()
    {
        var view = new FactsView(new RequestFacts { Method = "GET", Authority = "", Target = "/" }, "/", null);
        return _all.ExplainPolicies(in view).Policies;
    }

    public Judgement Judge(RequestDescription request, PolicyTest test, DateTimeOffset now)
    {
        var facts = _afterCustom.FactsOf(request);
        var explained = _afterCustom.Explain(facts, now, out var view);
        if (explained.Decision.Outcome == ExplainedOutcome.Malformed)
        {
            return Of(explained, body: "");
        }

        ImmutableArray<PolicyExplanation> custom = [];
        if (_authorizer.HasCustom && PathNormalizer.TryNormalize(facts.Target, _afterCustom.NormalizationMode, out var path, out var query))
        {
            var arriving = new FactsView(facts, path, query);
            custom = [.. _all.ExplainPolicies(in arriving).Policies.Where(p => p.Action == "CUSTOM")];
            var match = _authorizer.EvaluateCustom(in arriving);
            if (match != _reference.EvaluateCustom(in arriving))
            {
                return Of(explained, body: null) with { Obstacle = Disagreement("CUSTOM policies", match?.PolicyId, _reference.EvaluateCustom(in arriving)?.PolicyId) };
            }

            if (match is not null)
            {
                foreach (var (provider, rules) in _providers)
                {
                    if (rules.EvaluateCustom(in arriving) is { } asked && AskCustom(asked, provider, test, explained, custom) is { } answer)
                    {
                        return answer;
                    }
                }
            }
        }

        explained = explained with { Decision = explained.Decision with { Policies = [.. custom, .. explained.Decision.Policies] } };
        if (explained.Decision.Outcome == ExplainedOutcome.TokenRefused)
        {
            return Of(explained, body: explained.Decision.Identity.Status);
        }

        var decision = _authorizer.Evaluate(in view);
        var expected = explained.Decision.Outcome switch
        {
            ExplainedOutcome.Allowed => DecisionOutcome.Allowed,
            ExplainedOutcome.Challenge => DecisionOutcome.Challenge,
            _ => DecisionOutcome.Forbidden,
        };
        var body = decision.Outcome switch
        {
            DecisionOutcome.Allowed => null,
            DecisionOutcome.Challenge when explained.Decision.Identity.Claims is null => JwtStatus.Missing.Message,
            _ => LocalReply.AccessDenied,
        };
        var judgement = Of(explained, body);
        return decision.Outcome == expected && decision.PolicyId == explained.Decision.PolicyId ? judgement : judgement with
        {
            Obstacle = Disagreement("policies", $"{decision.Outcome} by {decision.PolicyId ?? "no rule"}", $"{expected} by {explained.Decision.PolicyId ?? "no rule"}"),
        };
    }

    /// <summary>What becomes of a request that an external authorizer is asked about; <see langword="null"/> when it goes on.</summary>
    private static Judgement? AskCustom(
        CustomMatch asked, CustomProvider provider, PolicyTest test, ExplainedRequest explained, ImmutableArray<PolicyExplanation> custom)
    {
        if (provider is { Unusable: { } reason })
        {
            return Refused(403, $"the external authorizer `{asked.Provider}` cannot be asked, so what {asked.PolicyId} matches is denied: {reason}", LocalReply.AccessDenied);
        }

        if ((test.Authorizers.GetValueOrDefault(asked.Provider) ?? test.Authorizers.GetValueOrDefault("")) is not { } answer)
        {
            return Refused(403, "the external authorizer was not asked") with
            {
                Obstacle = $"{asked.PolicyId} asks the external authorizer `{asked.Provider}`, and the test does not say what it answers; "
                    + $"add `authorizer: allow` (or deny, error, a status), or `authorizer: {{{asked.Provider}: allow}}`",
            };
        }

        return answer.Outcome switch
        {
            AuthorizerOutcome.Allow => null,
            AuthorizerOutcome.Deny => Refused(answer.Status, $"the external authorizer `{asked.Provider}` denies what {asked.PolicyId} matches"),
            _ when provider.Settings!.FailOpen => null,
            _ => Refused(provider.Settings.StatusOnError ?? 403, $"the external authorizer `{asked.Provider}` of {asked.PolicyId} fails, and failOpen is not set"),
        };

        Judgement Refused(int status, string reason, string? body = null)
        {
            var decision = explained.Decision with
            {
                Outcome = ExplainedOutcome.Forbidden,
                StatusCode = status,
                Reason = reason,
                PolicyId = asked.PolicyId,
                Identity = new IdentityExplanation { Status = "not looked at" },
                Policies = custom,
                NearMisses = [],
                SmallestChange = null,
            };
            return Of(new ExplainedRequest(status, decision, null), body);
        }
    }

    private static Judgement Of(ExplainedRequest explained, string? body)
    {
        var decision = explained.Decision;
        var (policy, rule) = Decisive(decision);
        return new Judgement
        {
            IsAllowed = decision.IsAllowed,
            Status = explained.StatusCode,
            Policy = policy,
            Rule = rule,
            Body = body,
            Reason = explained.Route?.Problem is { } problem ? $"{decision.Reason}; but {problem}" : decision.Reason,
            Principal = decision.Identity.Principal,
            Explained = explained,
        };
    }

    private static (string? Policy, int? Rule) Decisive(DecisionExplanation decision)
    {
        var match = decision.Outcome == ExplainedOutcome.TokenRefused
            ? TokenRule().Match(decision.Identity.Rule ?? "")
            : RuleId().Match(decision.PolicyId ?? "");
        return match.Success
            ? ($"{match.Groups["ns"].Value}/{match.Groups["name"].Value}", int.Parse(match.Groups["rule"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture))
            : (null, null);
    }

    private static string Disagreement(string what, string? compiled, string? reference) =>
        $"the two evaluators of Portcullis differ about the {what}: compiled {compiled ?? "no rule"}, reference {reference ?? "no rule"}; this is a defect, please report it with these resources";

    [GeneratedRegex(@"^ns\[(?<ns>[^\]]*)\]-policy\[(?<name>[^\]]*)\]-rule\[(?<rule>\d+)\]$")]
    private static partial Regex RuleId();

    [GeneratedRegex(@"^(?<ns>[^/]*)/(?<name>\S*) jwtRules\[(?<rule>\d+)\]$")]
    private static partial Regex TokenRule();
}
