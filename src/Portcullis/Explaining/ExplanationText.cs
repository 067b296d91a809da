using System.Globalization;
using System.Text.Json;
using Portcullis.Commands;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.Explanation;
using Portcullis.Policy.Explanation;
using Spectre.Console;

namespace Portcullis.Explaining;

/// <summary>An explanation for people: the answer first, then near misses and the smallest change, then everything in the order in which it counts.</summary>
internal sealed class ExplanationText(IAnsiConsole console)
{
    private const string Good = "green";
    private const string Bad = "red";
    private const string Open = "yellow";
    private const string Quiet = "grey";
    private const string Strong = "bold";

    /// <summary>A decision that a gateway made: when and what, then the explanation.</summary>
    public void Write(LiveExplanation live)
    {
        var made = live.Recorded;
        var (word, style) = made.Outcome == ExplainedOutcome.Allowed ? ("allowed", Good) : ("refused", Bad);
        Line(0, [("Decision ", Strong), (made.Id, Strong), (string.Create(CultureInfo.InvariantCulture, $"  {made.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff'Z'}"), null)]);
        Line(1, [("was: ", Quiet), (word, style), (string.Create(CultureInfo.InvariantCulture, $", answered {made.Status} in {made.DurationMs:0.0} ms ({made.Reason})"), null)]);
        Fact("from", made.RemoteIp == made.SourceIp ? $"{made.SourceIp}" : $"{made.RemoteIp} through {made.SourceIp}");
        Fact("configuration", string.Create(CultureInfo.InvariantCulture, $"generation {made.Generation}{(live.ExplainedBy == made.Generation ? "" : $", explained by {live.ExplainedBy}")}"));
        if (live.Note is { } note)
        {
            Line(1, [("note: ", Bad), (note, null)]);
        }

        if (made.IsCut)
        {
            Line(1, [("note: ", Bad), ("the request was too long to be kept whole", null)]);
        }

        console.WriteLine();
        Write(new ExplainedRequest(live.StatusCode, live.Decision, live.Route));
    }

    public void Write(ExplainedRequest explained)
    {
        var decision = explained.Decision;
        Headline(explained);
        Fact("why", decision.Reason);
        foreach (var check in decision.ExternalChecks)
        {
            WriteCheck(check);
        }

        if (explained.Route?.Problem is { } problem)
        {
            Fact("but", problem);
        }

        WriteNearMisses(decision);
        WriteChange(decision);
        Section("Request");
        WriteRequest(decision.Request);
        Section("Identity");
        WriteIdentity(decision.Identity);
        Section("Policies, in the order in which they count");
        if (decision.Policies.IsEmpty)
        {
            Line(1, decision.Outcome is ExplainedOutcome.TokenRefused or ExplainedOutcome.Malformed ? "not reached" : "none is attached to this gateway", Quiet);
        }

        foreach (var policy in decision.Policies)
        {
            WritePolicy(policy, decision.PolicyId);
        }

        if (explained.Route is { } route)
        {
            Section("Route");
            WriteRoute(route);
        }
    }

    private void Headline(ExplainedRequest explained)
    {
        var (word, style) = !explained.Decision.IsAllowed ? ("REFUSED", $"{Strong} {Bad}")
            : explained.Decision.ExternalChecks.IsEmpty ? ("ALLOWED", $"{Strong} {Good}")
            : ("DEPENDS", $"{Strong} {Open}");
        var status = explained.Decision.IsAllowed && explained.Route?.Action == "forward" && explained.StatusCode == 200 ? "forwarded" : $"{explained.StatusCode}";
        Line(0, [(word, style), ($"  {status}  ", Strong), ($"{explained.Decision.Request.Method} {explained.Decision.Request.Authority}{explained.Decision.Request.Target}", null)]);
    }

    /// <summary>Whom a running gateway would ask first; the rest holds for the answer yes.</summary>
    private void WriteCheck(ExternalCheck check)
    {
        Fact("asks", $"`{check.Provider}`{(check.Address is { } address ? $" ({address})" : "")}, because {check.RuleId} matches");
        Fact("  it allows", check.IfAllowed);
        Fact("  it denies", check.IfDenied);
        Fact("  it fails", check.IfFailed);
    }

    private void WriteNearMisses(DecisionExplanation decision)
    {
        if (decision.NearMisses.IsEmpty)
        {
            return;
        }

        Section(decision.IsAllowed ? "Nearly denied" : "Near misses");
        foreach (var miss in decision.NearMisses)
        {
            Line(1, [(miss.RuleId, Strong)]);
            Line(2, miss.Summary);
        }
    }

    private void WriteChange(DecisionExplanation decision)
    {
        if (decision.SmallestChange is not { } change)
        {
            return;
        }

        Section($"Smallest change that would {change.To} it");
        Line(1, change.Summary);
        foreach (var step in change.Steps)
        {
            Line(2, [("- ", Quiet), (step.Text, null), ($"  {step.RuleId}{At(step.Place)}", Quiet)]);
        }
    }

    private void WriteRequest(RequestExplanation request)
    {
        Fact("target", request.Target);
        Fact("path", request.Path is null ? "none" : $"{request.Path}  (normalised: {request.Normalization})");
        if (!request.DenyReadings.IsEmpty)
        {
            Fact("DENY also reads", string.Join("  ", request.DenyReadings));
        }

        Fact("local port", $"{request.LocalPort}");
    }

    private void WriteIdentity(IdentityExplanation identity)
    {
        Fact("token", identity.Status);
        Fact("principal", identity.Principal ?? "none");
        if (identity.Claims is { } claims)
        {
            Fact("claims", JsonSerializer.Serialize(claims, OneLine));
        }

        if (identity.Rule is { } rule)
        {
            Fact("rule", rule);
        }

        if (identity.Note is { } note)
        {
            Fact("note", note);
        }

        foreach (var verdict in identity.Verdicts)
        {
            var mark = Mark(verdict.IsAccepted);
            Line(2, [mark, ($"{verdict.Rule} on {verdict.Location}: {verdict.Message}", null), (verdict.Detail is null ? "" : $"; {verdict.Detail}", Quiet)]);
        }
    }

    private void WritePolicy(PolicyExplanation policy, string? decisive)
    {
        var dryRun = policy.IsDryRun ? " (dry run, not enforced)" : "";
        Line(1, [Mark(policy.Matches), ($"{policy.Action} {policy.Name}", Strong), ($"{dryRun}{At(policy.Place)}", Quiet)]);
        if (policy.Rules.IsEmpty)
        {
            Line(2, "no rules: it matches no request", Quiet);
        }

        foreach (var rule in policy.Rules)
        {
            var decides = rule.Id == decisive ? "  <- decides" : "";
            Line(2, [Mark(rule.Matches), (rule.Field, null), (decides, Strong), (At(rule.Place), Quiet)]);
            if (rule.LeftOut is { } reason)
            {
                Line(3, reason, Bad);
            }

            if (rule.PathReading is { } reading)
            {
                Line(3, $"by the reading {reading} of the path", Quiet);
            }

            WriteGroups("from", rule.From);
            WriteGroups("to", rule.To);
            foreach (var clause in rule.When)
            {
                WriteClause("when ", clause, 3);
            }

            if (rule.From.IsEmpty && rule.To.IsEmpty && rule.When.IsEmpty)
            {
                Line(3, "no condition: it matches every request", Quiet);
            }
        }
    }

    private void WriteGroups(string name, IReadOnlyList<ClauseGroup> groups)
    {
        for (var i = 0; i < groups.Count; i++)
        {
            var label = groups.Count == 1 ? $"{name} " : $"{name}[{i}] ";
            if (groups.Count > 1)
            {
                Line(3, [Mark(groups[i].Holds), ($"{name}[{i}]", null), (i > 0 ? "  (or)" : "", Quiet)]);
            }

            foreach (var clause in groups[i].Clauses)
            {
                WriteClause(groups.Count > 1 ? "" : label, clause, groups.Count > 1 ? 4 : 3);
            }
        }
    }

    private void WriteClause(string label, ClauseExplanation clause, int depth) =>
        Line(depth, [Mark(clause.Holds), ($"{label}{clause}", null), (clause.Unusable is null ? "" : $"  ({clause.Unusable})", Bad), (At(clause.Place), Quiet)]);

    private void WriteRoute(RouteExplanation route)
    {
        if (route.VirtualHost is { } host)
        {
            Fact("virtual host", host);
        }

        if (route.VirtualService is { } service)
        {
            Fact("VirtualService", $"{service} {route.Rule}{(route.Name is null ? "" : $" ({route.Name})")}");
        }

        Fact("action", route.Destinations.IsEmpty ? route.Action : $"{route.Action} to {string.Join(", ", route.Destinations)}");
        if (route.Problem is { } problem)
        {
            Line(1, problem, Bad);
        }
    }

    private static readonly JsonSerializerOptions OneLine = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static (string Text, string? Style) Mark(bool holds) => holds ? ("✓ ", Good) : ("✗ ", Bad);

    private static string At(string? place) => place is null ? "" : $"  {place}";

    private void Section(string title)
    {
        console.WriteLine();
        Line(0, [(title, Strong)]);
    }

    private void Fact(string name, string value) => Line(1, [($"{name}: ", Quiet), (value, null)]);

    private void Line(int depth, string text, string? style = null) => Line(depth, [(text, style)]);

    private void Line(int depth, ReadOnlySpan<(string Text, string? Style)> parts)
    {
        var line = new Paragraph(new string(' ', depth * 2));
        foreach (var (text, style) in parts)
        {
            line.Append(ExplainCommand.Printable(text), style is null ? Style.Plain : Style.Parse(style));
        }

        console.Write(line);
        console.WriteLine();
    }
}
