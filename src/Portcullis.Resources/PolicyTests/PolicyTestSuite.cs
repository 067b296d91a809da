using System.Collections.Immutable;

namespace Portcullis.Resources.PolicyTests;

/// <summary>The policy tests of one file, with everything that its defaults, identities and cases say already in each test.</summary>
public sealed record PolicyTestSuite
{
    /// <summary>The file, for reports.</summary>
    public required string Source { get; init; }

    /// <summary>Name of the suite; the file's when it gives none.</summary>
    public required string Name { get; init; }

    /// <summary>The time at which all requests arrive; <see langword="null"/> is the time of the run.</summary>
    public DateTimeOffset? Now { get; init; }

    /// <summary>In the order of the file.</summary>
    public ImmutableArray<PolicyTest> Tests { get; init; } = [];
}

/// <summary>What one text of tests holds.</summary>
/// <param name="Suite">The tests; <see langword="null"/> when there is an error.</param>
/// <param name="Problems">In the order of the text.</param>
public sealed record PolicyTestReadResult(PolicyTestSuite? Suite, ImmutableArray<Problem> Problems);
