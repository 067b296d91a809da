using System.Collections.Immutable;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>What one run found.</summary>
/// <param name="Suites">In the order in which they were given.</param>
/// <param name="Coverage">What the tests exercise.</param>
/// <param name="Duration">Of the run.</param>
public sealed record PolicyTestReport(ImmutableArray<PolicySuiteResult> Suites, PolicyTestCoverage Coverage, TimeSpan Duration)
{
    /// <summary>Tests that hold.</summary>
    public int Passed => Count(PolicyTestOutcome.Passed);

    /// <summary>Tests that do not.</summary>
    public int Failed => Count(PolicyTestOutcome.Failed);

    /// <summary>Tests that were left out.</summary>
    public int Skipped => Count(PolicyTestOutcome.Skipped);

    private int Count(PolicyTestOutcome outcome) => Suites.Sum(s => s.Results.Count(r => r.Outcome == outcome));
}

/// <summary>The results of one file.</summary>
/// <param name="Suite">Its tests.</param>
/// <param name="Results">Those that the filter takes.</param>
public sealed record PolicySuiteResult(PolicyTestSuite Suite, ImmutableArray<PolicyTestResult> Results);

/// <summary>How a test ends.</summary>
public enum PolicyTestOutcome
{
    /// <summary>All is as expected.</summary>
    Passed,

    /// <summary>Something is not.</summary>
    Failed,

    /// <summary>It was left out.</summary>
    Skipped,
}

/// <summary>One test, and what came of it.</summary>
/// <param name="Test">The test.</param>
/// <param name="Outcome">How it ends.</param>
/// <param name="Differences">What is not as expected, a line each.</param>
/// <param name="Judgement">What became of the request; <see langword="null"/> when it was left out.</param>
/// <param name="Duration">Of judging it.</param>
public sealed record PolicyTestResult(PolicyTest Test, PolicyTestOutcome Outcome, ImmutableArray<string> Differences, Judgement? Judgement, TimeSpan Duration);
