using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>
/// Writes access log lines off the request's path: a request appends to a bounded buffer, one task empties it. When the disk cannot keep up,
/// or is full, lines are dropped and counted; traffic never waits.
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
    private readonly SemaphoreSlim _filled = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _pump;
    private ArrayBufferWriter<byte> _active = new(64 * 1024);
    private ArrayBufferWriter<byte> _idle = new(64 * 1024);
    private long _dropped;
    private long _lostBytes;
    private long _lastReport;

    /// <summary>Where the lines go when that is a file, which may be moved away; <see langword="null"/> when it cannot be.</summary>
    public string? File { get; init; }

    /// <param name="format">Line format.</param>
    /// <param name="open">Opens the destination; called again after a failure.</param>
    /// <param name="time">Spaces the reports.</param>
    /// <param name="logger">Told about lines that are lost.</param>
    public AccessLogWriter(AccessLogFormat format, Func<Stream> open, TimeProvider time, ILogger logger)
    {
        (_format, _open, _time, _logger) = (format, open, time, logger);
        _pump = Task.Run(PumpAsync);
    }

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
        }

        if (_filled.CurrentCount == 0)
        {
            Signal();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Signal();
        await _pump;
        _filled.Dispose();
        _stop.Dispose();
    }

    private void Signal()
    {
        try
        {
            _filled.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else woke the pump between the check and here; once is enough.
        }
    }

    private async Task PumpAsync()
    {
        Stream? destination = null;
        while (true)
        {
            var stopping = _stop.IsCancellationRequested;
            if (!stopping)
            {
                await _filled.WaitAsync();
            }

            long dropped;
            lock (_lock)
            {
                (_active, _idle) = (_idle, _active);
                (dropped, _dropped) = (_dropped, 0);
            }

            destination = await EmptyAsync(destination, dropped);
            if (stopping)
            {
                break;
            }
        }

        if (destination is not null)
        {
            await destination.DisposeAsync();
        }
    }

    private async Task<Stream?> EmptyAsync(Stream? destination, long dropped)
    {
        try
        {
            if (destination is not null && WasMoved(destination))
            {
                await destination.DisposeAsync();
                destination = null;
            }

            destination ??= _open();
            await destination.WriteAsync(_idle.WrittenMemory);
            await destination.FlushAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            ReportLost(e.Message);
            if (destination is not null)
            {
                await destination.DisposeAsync();
            }

            destination = null;
        }

        if (dropped > 0)
        {
            LogDropped(_logger, dropped);
        }

        _idle.ResetWrittenCount();
        return destination;
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
