using Microsoft.Extensions.Logging;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>Keeps one tracer while the settings stay the same, and replaces it once a configuration with others is live.</summary>
internal sealed class Tracers(WorkloadIdentity workload, Func<string, string?> environment, TraceStatistics statistics, ILogger logger) : IAsyncDisposable
{
    private readonly List<Tracer> _tracers = [];

    /// <summary>The tracer for a mesh configuration; <see langword="null"/> when nothing is traced.</summary>
    /// <param name="tracing">What the mesh configuration says.</param>
    /// <param name="problems">Told about a variable of the environment that cannot be used.</param>
    public Tracer? For(MeshTracing tracing, ICollection<Problem> problems)
    {
        var settings = TraceSettingsReader.Read(tracing, workload, environment, out var problem);
        if (problem is not null)
        {
            problems.Add(new Problem
            {
                Code = ProblemCodes.InvalidValue,
                Severity = ProblemSeverity.Warning,
                FieldPath = "environment",
                Message = problem,
                Remedy = "correct the variable and start again",
            });
        }

        if (settings is null)
        {
            return null;
        }

        if (_tracers.Find(t => t.Settings.IsSameAs(settings)) is { } known)
        {
            return known;
        }

        var tracer = new Tracer(settings, statistics, logger);
        _tracers.Add(tracer);
        return tracer;
    }

    /// <summary>A configuration is live: the tracers of others end.</summary>
    public void Commit(Tracer? live)
    {
        foreach (var tracer in _tracers)
        {
            if (!ReferenceEquals(tracer, live))
            {
                tracer.Retire();
            }
        }

        _tracers.RemoveAll(t => !ReferenceEquals(t, live));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var tracer in _tracers)
        {
            await tracer.DisposeAsync();
        }
    }
}
