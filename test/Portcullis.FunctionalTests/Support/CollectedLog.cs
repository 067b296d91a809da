using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Portcullis.FunctionalTests.Support;

/// <summary>Takes every line that a gateway in this process logs, and lets a test wait for one.</summary>
internal sealed class CollectedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentDictionary<TaskCompletionSource<string>, Func<string, bool>> _waits = new();

    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>Waits until a number of lines, past and to come, hold the text.</summary>
    public async Task WaitForAsync(string text, int count = 1)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waits[found] = _ => Count(text) >= count;
        if (Count(text) < count)
        {
            await found.Task.WaitAsync(PortcullisProcess.Patience);
        }

        _waits.TryRemove(found, out _);
    }

    public int Count(string text) => _lines.Count(l => l.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("Portcullis", StringComparison.Ordinal)
        ? this
        : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // Nothing is held.
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = formatter(state, exception);
        _lines.Enqueue(line);
        foreach (var (found, test) in _waits)
        {
            if (test(line))
            {
                found.TrySetResult(line);
            }
        }
    }
}
