using Portcullis.Gateway.PolicyTests;
using Portcullis.Policy.Explanation;

namespace Portcullis.Testing;

/// <summary>Why a test failed: what differs, and the part of the explanation that decided or nearly did.</summary>
internal static class FailureLines
{
    private const int MaxNearMisses = 3;

    /// <summary>Lines with their depth.</summary>
    public static IEnumerable<(int Depth, string Text)> Of(PolicyTestResult result)
    {
        var request = result.Test.Request;
        yield return (0, $"{request.Method} {request.Scheme}://{request.Host}{SecretRedaction.Target(request.Target)}");
        foreach (var difference in result.Differences)
        {
            yield return (0, difference);
        }

        if (result.Judgement is not { Obstacle: null } judgement)
        {
            yield break;
        }

        var decision = judgement.Explained.Decision;
        yield return (0, $"why: {judgement.Reason}");
        yield return (0, $"principal: {judgement.Principal ?? (decision.Identity.Note is { } note ? $"none; {note}" : "none")}");
        foreach (var verdict in decision.Identity.Verdicts.Where(v => !v.IsAccepted && decision.Outcome == ExplainedOutcome.TokenRefused))
        {
            yield return (1, $"✗ {verdict.Rule} on {verdict.Location}: {verdict.Message}{(verdict.Detail is null ? "" : $"; {verdict.Detail}")}");
        }

        foreach (var line in Deciding(decision).Concat(Misses(decision)))
        {
            yield return line;
        }
    }

    private static IEnumerable<(int, string)> Deciding(DecisionExplanation decision)
    {
        var rule = decision.Policies.SelectMany(p => p.Rules, (p, r) => (Policy: p, Rule: r)).FirstOrDefault(r => r.Rule.Id == decision.PolicyId);
        if (rule.Rule is null)
        {
            yield break;
        }

        yield return (0, $"decided by {rule.Policy.Action} {rule.Policy.Name} {rule.Rule.Field}{At(rule.Rule.Place)}");
        if (rule.Rule.PathReading is { } reading)
        {
            yield return (1, $"by the reading {reading} of the path");
        }

        foreach (var clause in rule.Rule.From.Concat(rule.Rule.To).Where(g => g.Holds).SelectMany(g => g.Clauses).Concat(rule.Rule.When))
        {
            yield return (1, $"✓ {clause}{At(clause.Place)}");
        }
    }

    private static IEnumerable<(int, string)> Misses(DecisionExplanation decision)
    {
        foreach (var miss in decision.NearMisses.Take(MaxNearMisses))
        {
            yield return (0, $"near miss {miss.RuleId}: {miss.Held} of {miss.Total} conditions held");
            foreach (var clause in miss.Missing)
            {
                yield return (1, $"✗ {clause}{At(clause.Place)}");
            }
        }
    }

    private static string At(string? place) => place is null ? "" : $"  {place}";
}
