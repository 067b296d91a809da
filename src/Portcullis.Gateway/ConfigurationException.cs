using System.Collections.Immutable;
using Portcullis.Resources;

namespace Portcullis.Gateway;

/// <summary>The configuration cannot be used to start: every problem is listed, and no port was bound.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Carries all findings, errors among them.</summary>
    public ConfigurationException(ImmutableArray<Problem> problems)
        : base($"the configuration has {problems.Count(p => p.Severity == ProblemSeverity.Error)} error(s)") => Problems = problems;

    /// <summary>All findings.</summary>
    public ImmutableArray<Problem> Problems { get; }
}
