using System.Collections.Immutable;
using Portcullis.Matching;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Analysis;

/// <summary>A rule of an attached RequestAuthentication.</summary>
/// <param name="Policy">Where it stands.</param>
/// <param name="Rule">The rule.</param>
/// <param name="Path">Its field.</param>
internal readonly record struct AttachedJwtRule(RequestAuthentication Policy, JwtRule Rule, string Path);

/// <summary>What all analyses share: the policies that reach the gateway, taken apart, and the findings.</summary>
internal sealed class AnalysisContext
{
    private readonly List<(Resource Resource, string Path, Finding Finding)> _findings = [];

    public AnalysisContext(ResourceSet set, WorkloadIdentity workload, IReadOnlyList<ServedPort> ports)
    {
        (Set, Ports) = (set, ports);
        Policies = [.. set.OfType<AuthorizationPolicy>().Where(p => PolicyAttachment.AppliesTo(p, p.Selection, workload))];
        Rules = [.. Policies.SelectMany(p => p.Rules.Select((r, i) => new AnalyzedRule(p, r, i)))];
        JwtRules =
        [
            .. set.OfType<RequestAuthentication>()
                .Where(a => PolicyAttachment.AppliesTo(a, a.Selection, workload))
                .SelectMany(a => a.JwtRules.Select((r, i) => new AttachedJwtRule(a, r, $"spec.jwtRules[{i}]"))),
        ];
    }

    public ResourceSet Set { get; }

    /// <summary>Nothing was refused while reading: only then is what is absent really absent.</summary>
    public bool IsComplete => Set.Problems.All(p => p.Severity != ProblemSeverity.Error);

    public MeshConfig Mesh => Set.Mesh;

    /// <summary>How request paths are normalised.</summary>
    public PathNormalization Normalization => Mesh.PathNormalization switch
    {
        PathNormalizationMode.None => PathNormalization.None,
        PathNormalizationMode.MergeSlashes => PathNormalization.MergeSlashes,
        PathNormalizationMode.DecodeAndMergeSlashes => PathNormalization.DecodeAndMergeSlashes,
        _ => PathNormalization.Base,
    };

    public IReadOnlyList<ServedPort> Ports { get; }

    public ImmutableArray<AuthorizationPolicy> Policies { get; }

    public ImmutableArray<AnalyzedRule> Rules { get; }

    public ImmutableArray<AttachedJwtRule> JwtRules { get; }

    /// <summary>The rules of an action that count: those of rehearsals do not.</summary>
    public IEnumerable<AnalyzedRule> Enforced(PolicyAction action) => Rules.Where(r => r.Policy.Action == action && !PolicyRules.IsDryRun(r.Policy));

    public void Warning(Resource resource, string path, string code, string message, string remedy, SuggestedFix? fix = null) =>
        _findings.Add((resource, path, new(ProblemSeverity.Warning, code, message, remedy, fix)));

    public void Note(Resource resource, string path, string code, string message, string remedy, SuggestedFix? fix = null) =>
        _findings.Add((resource, path, new(ProblemSeverity.Note, code, message, remedy, fix)));

    /// <summary>The findings with their places. Resource by resource: finding a line means to parse the document again, once.</summary>
    public ImmutableArray<Problem> ToProblems() =>
    [
        .. _findings
            .OrderBy(f => f.Resource.Origin.Order)
            .Select(f => Problem.At(f.Resource, f.Path, f.Finding.Severity, f.Finding.Code, f.Finding.Message, f.Finding.Remedy) with { Fix = f.Finding.Fix }),
    ];

    private sealed record Finding(ProblemSeverity Severity, string Code, string Message, string Remedy, SuggestedFix? Fix);
}
