using System.Globalization;
using System.Runtime.CompilerServices;
using Portcullis.Gateway.Configuration;
using Portcullis.Gateway.Explanation;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Decisions;

/// <summary>
/// Explains decisions that were made: by the snapshot that made them while it is held, else by the present one, which is then said. Safe for concurrent use.
/// </summary>
internal sealed class LiveExplainer(DecisionJournal journal, SnapshotHolder<GatewaySnapshot> snapshots, WorkloadIdentity workload, PortMap ports)
{
    private readonly ConditionalWeakTable<GatewaySnapshot, GatewayExplainer> _explainers = [];

    public LiveExplanation Explain(DecisionRecord record)
    {
        var present = snapshots.Current;
        var decider = present.Generation == record.Generation ? present : journal.FindSnapshot(record.Generation);
        var snapshot = decider ?? present;
        var explained = _explainers.GetValue(snapshot, s => GatewayExplainer.Of(s, workload, ports)).Explain(record.ToFacts(), record.Time, out _, record.ListenerPort);
        var recorded = DecisionSummary.Of(record);
        return new LiveExplanation(
            explained.StatusCode, explained.Decision, explained.Route, recorded, snapshot.Generation, Note(recorded, explained.Decision, decider is null, present.Generation));
    }

    private static string? Note(DecisionSummary recorded, DecisionExplanation decision, bool isOfAnother, long present)
    {
        var then = recorded.Outcome == ExplainedOutcome.Allowed ? "allowed" : string.Create(CultureInfo.InvariantCulture, $"refused with {recorded.Status}");
        var now = decision.IsAllowed ? "allows it" : string.Create(CultureInfo.InvariantCulture, $"answers {decision.StatusCode}");
        var isSame = recorded.Outcome == decision.Outcome && (recorded.PolicyId == decision.PolicyId || recorded.Outcome == ExplainedOutcome.TokenRefused);
        if (isOfAnother)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"the configuration has changed since: generation {recorded.Generation} → {present}, and the older one is no longer held; the request was {then} ({recorded.Reason}); the present configuration {now}");
        }

        var older = recorded.Generation == present ? null
            : string.Create(CultureInfo.InvariantCulture, $"the configuration has changed since: generation {recorded.Generation} → {present}; this is what the older one, which decided, says");
        var differs = isSame ? null
            : !decision.ExternalChecks.IsEmpty && recorded.Details?.StartsWith("ext_authz_", StringComparison.Ordinal) == true
            ? $"it was {then} ({recorded.Reason}); the explanation is for the case that the authorizer allows"
            : $"what was kept of the request does not suffice: it was {then} ({recorded.Reason}), while this explanation {now}; a policy looks at a credential, which is not kept, or at something too long";
        return (older, differs) switch
        {
            (null, _) => differs,
            (_, null) => older,
            _ => $"{older}; {differs}",
        };
    }
}
