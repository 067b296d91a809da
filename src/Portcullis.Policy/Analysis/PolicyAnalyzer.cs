using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>
/// Looks for what is valid and probably not meant (PC3xxx): rules without effect, doors wider than they read, tokens that nobody asks for. Nothing is refused
/// because of a finding here. Pure, and about linear in the number of rules.
/// </summary>
public static class PolicyAnalyzer
{
    private static readonly Action<AnalysisContext>[] Analyses =
    [
        TokenAnalysis.Run,
        IssuerAnalysis.Run,
        PrincipalAnalysis.Run,
        KeyAnalysis.Run,
        PathAnalysis.Run,
        WildcardAnalysis.Run,
        MethodAnalysis.Run,
        ConditionAnalysis.Run,
        AbsenceAnalysis.Run,
        ContradictionAnalysis.Run,
        PeerIdentityAnalysis.Run,
        SplitRuleAnalysis.Run,
        EmptyPolicyAnalysis.Run,
        ListenerAnalysis.Run,
        TcpAnalysis.Run,
        HostPortAnalysis.Run,
        DuplicateAnalysis.Run,
        CoverageAnalysis.Run,
    ];

    /// <summary>Finds everything at once.</summary>
    /// <param name="set">The resources, without those that reading refused.</param>
    /// <param name="workload">The gateway; only policies that reach it are looked at.</param>
    /// <param name="ports">Where it listens; none when that is not known, and then nothing is said about hosts and ports.</param>
    /// <returns>Resource by resource in their order, and in each in the order of the analyses.</returns>
    public static ImmutableArray<Problem> Analyze(ResourceSet set, WorkloadIdentity workload, IReadOnlyList<ServedPort> ports)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(workload);
        var context = new AnalysisContext(set, set.Mesh.RootNamespace is { } root ? workload with { RootNamespace = root } : workload, ports);
        foreach (var analysis in Analyses)
        {
            analysis(context);
        }

        return context.ToProblems();
    }
}
