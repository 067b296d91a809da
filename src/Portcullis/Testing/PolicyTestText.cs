using System.Globalization;
using Portcullis.Gateway.PolicyTests;
using Spectre.Console;

namespace Portcullis.Testing;

/// <summary>A run of policy tests for people: each test, the failures with their reasons, the coverage, and the summary last.</summary>
internal sealed class PolicyTestText(IAnsiConsole console)
{
    private static readonly (CoverageKind Kind, string Name)[] Kinds =
    [
        (CoverageKind.Policy, "policies"), (CoverageKind.Rule, "rules"), (CoverageKind.Clause, "clauses"), (CoverageKind.Value, "values"), (CoverageKind.TokenRule, "JWT rules"),
    ];

    private readonly StyledLines _lines = new(console);

    /// <param name="report">What the run found.</param>
    /// <param name="coverage">How much of the coverage is shown.</param>
    public void Write(PolicyTestReport report, CoverageDetail coverage)
    {
        foreach (var suite in report.Suites)
        {
            _lines.Line(0, [(suite.Suite.Name, StyledLines.Strong), ($"  {suite.Suite.Source}", StyledLines.Quiet)]);
            foreach (var result in suite.Results)
            {
                Write(suite, result);
            }

            _lines.Empty();
        }

        if (coverage != CoverageDetail.None)
        {
            Write(report.Coverage, coverage);
        }

        var style = report.Failed > 0 ? StyledLines.Bad : StyledLines.Good;
        _lines.Line(0, [(Summary(report), $"{StyledLines.Strong} {style}"), ($"  ({report.Duration.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture)} ms)", StyledLines.Quiet)]);
    }

    /// <summary><c>12 passed, 1 failed</c>.</summary>
    public static string Summary(PolicyTestReport report) =>
        string.Create(CultureInfo.InvariantCulture, $"{report.Passed} passed, {report.Failed} failed{(report.Skipped > 0 ? $", {report.Skipped} skipped" : "")}");

    private void Write(PolicySuiteResult suite, PolicyTestResult result)
    {
        switch (result.Outcome)
        {
            case PolicyTestOutcome.Passed:
                _lines.Line(1, [("✓ ", StyledLines.Good), (result.Test.Name, null)]);
                break;
            case PolicyTestOutcome.Skipped:
                _lines.Line(1, [("- ", StyledLines.Quiet), (result.Test.Name, null), ($"  skipped: {result.Test.Skip}", StyledLines.Quiet)]);
                break;
            default:
                _lines.Line(1, [("✗ ", StyledLines.Bad), (result.Test.Name, StyledLines.Bad), ($"  {suite.Suite.Source}:{result.Test.Position.Line}", StyledLines.Quiet)]);
                foreach (var (depth, text) in FailureLines.Of(result))
                {
                    _lines.Line(3 + depth, text);
                }

                break;
        }
    }

    private void Write(PolicyTestCoverage coverage, CoverageDetail detail)
    {
        _lines.Line(0, [
            ($"Coverage {PolicyTestCoverage.Format(coverage.Percent)} %", StyledLines.Strong),
            ($"  {string.Join(", ", Kinds.Select(k => (k.Name, Of: coverage.Of(k.Kind))).Where(k => k.Of.All > 0).Select(k => $"{k.Name} {k.Of.Covered}/{k.Of.All}"))}", null)]);
        if (detail == CoverageDetail.Full)
        {
            foreach (var item in coverage.Items.Where(i => !i.IsCovered))
            {
                _lines.Line(1, [("○ ", StyledLines.Bad), (item.Name, null), ($": {item.Missing}", null), (item.Place is null ? "" : $"  {item.Place}", StyledLines.Quiet)]);
            }
        }

        _lines.Empty();
    }
}

/// <summary>How much of the coverage a report shows.</summary>
internal enum CoverageDetail
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The numbers.</summary>
    Summary,

    /// <summary>The numbers, and what no test exercises.</summary>
    Full,
}
