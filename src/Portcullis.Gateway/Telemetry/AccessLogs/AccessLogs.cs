using Microsoft.Extensions.Logging;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>Keeps one writer while the mesh configuration's access log settings stay the same, and replaces it when they change.</summary>
internal sealed class AccessLogs(TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly List<AccessLogWriter> _retired = [];
    private (string File, AccessLogEncoding Encoding, string Format) _settings;
    private AccessLogWriter? _current;
    private Problem? _problem;

    /// <summary>The writer for a mesh configuration; <see langword="null"/> when the log is off.</summary>
    /// <param name="mesh">Settings.</param>
    /// <param name="problems">Told about a format that cannot be used; Istio's default takes its place.</param>
    public AccessLogWriter? For(MeshConfig mesh, ICollection<Problem> problems)
    {
        var settings = (mesh.AccessLogFile, mesh.AccessLogEncoding, mesh.AccessLogFormat);
        if (settings != _settings || (_current is null && mesh.AccessLogFile.Length > 0))
        {
            Replace(mesh);
            _settings = settings;
        }

        if (_problem is not null)
        {
            problems.Add(_problem);
        }

        return _current;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var writer in _current is null ? _retired : [.. _retired, _current])
        {
            await writer.DisposeAsync();
        }
    }

    private void Replace(MeshConfig mesh)
    {
        if (_current is not null)
        {
            // Requests in flight still write to it; it ends with the gateway.
            _retired.Add(_current);
        }

        _problem = null;
        _current = mesh.AccessLogFile.Length == 0 ? null : new AccessLogWriter(Format(mesh), AccessLogWriter.Destination(mesh.AccessLogFile), time, logger)
        {
            File = mesh.AccessLogFile.StartsWith("/dev/", StringComparison.Ordinal) ? null : mesh.AccessLogFile,
        };
    }

    private AccessLogFormat Format(MeshConfig mesh)
    {
        try
        {
            return AccessLogFormat.Compile(mesh.AccessLogEncoding, mesh.AccessLogFormat);
        }
        catch (FormatException e)
        {
            _problem = new Problem
            {
                Code = ProblemCodes.InvalidValue,
                Severity = ProblemSeverity.Warning,
                FieldPath = "accessLogFormat",
                Message = e.Message,
                Remedy = "until it is mended, Istio's default format is used",
            };
            return AccessLogFormat.Compile(mesh.AccessLogEncoding, "");
        }
    }
}
