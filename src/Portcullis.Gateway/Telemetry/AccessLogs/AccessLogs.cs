using Microsoft.Extensions.Logging;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>
/// Keeps one writer while the mesh configuration's access log settings stay the same, and replaces it once a configuration with others is live.
/// One caller at a time, but for <see cref="Reopen"/>.
/// </summary>
internal sealed class AccessLogs(TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>Requests in flight may still write to them; one that nobody holds any more is forgotten.</summary>
    private readonly List<WeakReference<AccessLogWriter>> _retired = [];
    private AccessLogWriter? _current;

    /// <summary>The writer for a mesh configuration; <see langword="null"/> when the log is off. Changes nothing.</summary>
    /// <param name="mesh">Settings.</param>
    /// <param name="problems">Told about a format that cannot be used; Istio's default takes its place.</param>
    public AccessLogWriter? For(MeshConfig mesh, ICollection<Problem> problems)
    {
        var settings = new AccessLogSettings(mesh.AccessLogFile, mesh.AccessLogEncoding, mesh.AccessLogFormat);
        var writer = settings.File.Length == 0 ? null : _current?.Settings == settings ? _current : Create(settings);
        if (writer?.Problem is { } problem)
        {
            problems.Add(problem);
        }

        return writer;
    }

    /// <summary>A configuration with this writer is live.</summary>
    public void Commit(AccessLogWriter? live)
    {
        if (ReferenceEquals(live, _current))
        {
            return;
        }

        _retired.RemoveAll(static r => !r.TryGetTarget(out _));
        if (_current is { } before)
        {
            before.Retire();
            _retired.Add(new(before));
        }

        Volatile.Write(ref _current, live);
    }

    /// <summary>Opens the file of that name, whatever was written to until now.</summary>
    public void Reopen() => Volatile.Read(ref _current)?.Reopen();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var reference in _retired)
        {
            if (reference.TryGetTarget(out var writer))
            {
                await writer.DisposeAsync();
            }
        }

        if (_current is not null)
        {
            await _current.DisposeAsync();
        }
    }

    private AccessLogWriter Create(AccessLogSettings settings)
    {
        var format = Compile(settings, out var problem);
        return new AccessLogWriter(format, AccessLogWriter.Destination(settings.File), time, logger)
        {
            File = settings.File.StartsWith("/dev/", StringComparison.Ordinal) ? null : settings.File,
            Settings = settings,
            Problem = problem,
        };
    }

    private static AccessLogFormat Compile(AccessLogSettings settings, out Problem? problem)
    {
        try
        {
            problem = null;
            return AccessLogFormat.Compile(settings.Encoding, settings.Format);
        }
        catch (FormatException e)
        {
            problem = new Problem
            {
                Code = ProblemCodes.InvalidValue,
                Severity = ProblemSeverity.Warning,
                FieldPath = "accessLogFormat",
                Message = e.Message,
                Remedy = "until it is mended, Istio's default format is used",
            };
            return AccessLogFormat.Compile(settings.Encoding, "");
        }
    }
}

/// <summary>What the mesh configuration says of the access log.</summary>
/// <param name="File"><c>accessLogFile</c>; empty when the log is off.</param>
/// <param name="Encoding"><c>accessLogEncoding</c>.</param>
/// <param name="Format"><c>accessLogFormat</c>; empty is Istio's default.</param>
internal readonly record struct AccessLogSettings(string File, AccessLogEncoding Encoding, string Format);
