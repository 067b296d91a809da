using Portcullis.Resources;

namespace Portcullis.Reports;

/// <summary>How <c>check</c> prints what it found.</summary>
internal enum ReportFormat
{
    /// <summary>A line a problem, as compilers print it, and a summary.</summary>
    Text,

    /// <summary>One JSON object.</summary>
    Json,

    /// <summary>SARIF 2.1.0, which code hosts and editors show beside the source.</summary>
    Sarif,
}

/// <summary>
/// The problems of a configuration in the order of file, line and column. Each once: what the compilers say of a place only repeats what
/// the analysis before them called worse.
/// </summary>
internal sealed class ProblemReport
{
    public ProblemReport(IEnumerable<Problem> problems, int resources)
    {
        Resources = resources;
        Problems =
        [
            .. problems
                .DistinctBy(p => (p.Source, p.Position, p.FieldPath, p.Severity, p.Message))
                .GroupBy(p => p.Position is null ? (object)p : (p.Source, p.Position, p.Code))
                .SelectMany(g => g.Where(p => p.Severity == g.Max(other => other.Severity)))
                .OrderBy(p => p.Source, StringComparer.Ordinal)
                .ThenBy(p => p.Position?.Line ?? 0)
                .ThenBy(p => p.Position?.Column ?? 0)
                .ThenByDescending(p => p.Severity),
        ];
    }

    public IReadOnlyList<Problem> Problems { get; }

    /// <summary>Resources that were read and are sound.</summary>
    public int Resources { get; }

    public int Errors => Count(ProblemSeverity.Error);

    public int Warnings => Count(ProblemSeverity.Warning);

    public int Notes => Count(ProblemSeverity.Note);

    /// <summary>Some input could not be read at all.</summary>
    public bool IsIncomplete => Problems.Any(p => p.Code == ProblemCodes.Unreadable);

    public void Write(TextWriter output, ReportFormat format)
    {
        switch (format)
        {
            case ReportFormat.Json:
                output.WriteLine(JsonReport.Format(this));
                break;
            case ReportFormat.Sarif:
                output.WriteLine(SarifReport.Format(this));
                break;
            default:
                foreach (var problem in Problems)
                {
                    output.WriteLine(problem);
                }

                output.WriteLine(Summary);
                break;
        }
    }

    private string Summary => $"{Amount(Errors, "error")}, {Amount(Warnings, "warning")}, {Amount(Notes, "note")}; {Amount(Resources, "resource")} read";

    private static string Amount(int count, string of) => count == 1 ? $"1 {of}" : $"{count} {of}s";

    private int Count(ProblemSeverity severity) => Problems.Count(p => p.Severity == severity);
}
