using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Pipeline;
using Portcullis.Resources;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>
/// Writes access log lines off the request's path: a request appends to a bounded buffer, a task that lives while there are lines empties it. When the
/// disk cannot keep up, or is full, lines are dropped and counted; traffic never waits. A writer that is made and not used costs nothing.
/// </summary>
internal sealed partial class AccessLogWriter : IAsyncDisposable
{
    private const int MaxBuffered = 4 * 1024 * 1024;

    /// <summary>A full disk is worth a line now and then, not one for every write that fails.</summary>
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(10);

    [ThreadStatic]
    private static StringBuilder? _threadLine;

    private readonly AccessLogFormat _format;
    private readonly Func<Stream> _open;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private ArrayBufferWriter<byte> _active = new();
    private ArrayBufferWriter<byte> _idle = new();
    private Stream? _destination;
    private Task _pump = Task.CompletedTask;
    private bool _isPumping;
    private bool _isRetired;
    private bool _mustReopen;
    private long _dropped;
    private long _lostBytes;
    private long _lastReport;

    /// <summary>Where the lines go when that is a file, which may be moved away; <see langword="null"/> when it cannot be.</summary>
    public string? File { get; init; }

    /// <summary>What it was made for.</summary>
    public AccessLogSettings Settings { get; init; }

    /// <summary>What is wrong with the format that was asked for; <see langword="null"/> when it is in use.</summary>
    public Problem? Problem { get; init; }

    /// <param name="format">Line format.</param>
    /// <param name="open">Opens the destination, at the first line; called again after a failure.</param>
    /// <param name="time">Spaces the reports.</param>
    /// <param name="logger">Told about lines that are lost.</param>
    public AccessLogWriter(AccessLogFormat format, Func<Stream> open, TimeProvider time, ILogger logger) =>
        (_format, _open, _time, _logger) = (format, open, time, logger);

    /// <summary>Opens <c>/dev/stdout</c>, <c>/dev/stderr</c>, or a file to append to.</summary>
    public static Func<Stream> Destination(string path) => path switch
    {
        "/dev/stdout" => Console.OpenStandardOutput,
        "/dev/stderr" => Console.OpenStandardError,
        _ => () => new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0),
    };

    public void Write(GatewayContext context)
    {
        var line = _threadLine ??= new StringBuilder(512);
        line.Clear();
        _format.Write(context, line);
        lock (_lock)
        {
            if (_active.WrittenCount > MaxBuffered)
            {
                _dropped++;
                return;
            }

            foreach (var chunk in line.GetChunks())
            {
                Encoding.UTF8.GetBytes(chunk.Span, _active);
            }

            Pump();
        }
    }

    /// <summary>Closes the file and opens the one that has its name now. A destination that is no file stays.</summary>
    public void Reopen()
    {
        lock (_lock)
        {
            if (File is not null && !_isRetired)
            {
                _mustReopen = true;
                Pump();
            }
        }
    }

    /// <summary>
    /// Another writer takes its place: it holds nothing open from now on but while it writes what requests still in flight say, and may be forgotten.
    /// </summary>
    public void Retire()
    {
        lock (_lock)
        {
            _isRetired = true;
            Pump();
        }
    }

    /// <summary>Writes what waits and closes the destination.</summary>
    public async ValueTask DisposeAsync()
    {
        Retire();
        Task pump;
        lock (_lock)
        {
            pump = _pump;
        }

        await pump;
    }

    /// <summary>Under the lock.</summary>
    private void Pump()
    {
        if (!_isPumping)
        {
            _isPumping = true;
            _pump = Task.Run(PumpAsync);
        }
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            long dropped;
            bool reopen;
            bool mayKeepOpen;
            lock (_lock)
            {
                if (_active.WrittenCount == 0 && _dropped == 0 && !_mustReopen && !(_isRetired && _destination is not null))
                {
                    _isPumping = false;
                    return;
                }

                (_active, _idle) = (_idle, _active);
                (dropped, _dropped) = (_dropped, 0);
                (reopen, _mustReopen) = (_mustReopen, false);
                mayKeepOpen = !_isRetired;
            }

            await EmptyAsync(reopen);
            if (!mayKeepOpen)
            {
                await CloseAsync();
            }

            if (dropped > 0)
            {
                LogDropped(_logger, dropped);
            }

            _idle.ResetWrittenCount();
        }
    }

    private async Task EmptyAsync(bool reopen)
    {
        try
        {
            if (reopen || (_destination is not null && WasMoved(_destination)))
            {
                await CloseAsync();
            }

            if (_idle.WrittenCount > 0 || reopen)
            {
                _destination ??= _open();
                await _destination.WriteAsync(_idle.WrittenMemory);
                await _destination.FlushAsync();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            ReportLost(e.Message);
            await CloseAsync();
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_destination is { } destination)
        {
            _destination = null;
            await destination.DisposeAsync();
        }
    }

    /// <summary>
    /// The path no longer leads to what was written: it is gone, or its length is not the one that was left. That covers a file that was moved, one that
    /// was made anew in its place, and one that was cut.
    /// </summary>
    private bool WasMoved(Stream destination)
    {
        if (File is null || !destination.CanSeek)
        {
            return false;
        }

        var file = new FileInfo(File);
        return !file.Exists || file.Length != destination.Position;
    }

    private void ReportLost(string reason)
    {
        _lostBytes += _idle.WrittenCount;
        if (_lastReport != 0 && _time.GetElapsedTime(_lastReport) < ReportInterval)
        {
            return;
        }

        LogLost(_logger, _lostBytes, reason);
        (_lostBytes, _lastReport) = (0, _time.GetTimestamp());
    }

    [LoggerMessage(EventId = 3001, Level = LogLevel.Error, Message = "access log: {Bytes} bytes were lost, the destination cannot be written: {Reason}")]
    private static partial void LogLost(ILogger logger, long bytes, string reason);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Warning, Message = "access log: {Lines} lines were dropped, the destination is slower than the traffic")]
    private static partial void LogDropped(ILogger logger, long lines);
}
