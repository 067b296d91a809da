using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Portcullis.FunctionalTests.Support;

/// <summary>The real executable in a process of its own, with what it printed.</summary>
internal sealed partial class PortcullisProcess : IAsyncDisposable
{
    /// <summary>Long enough for a loaded machine; a test that waits this long has failed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly ConcurrentQueue<(Func<string, bool> Test, TaskCompletionSource<string> Found)> _waits = new();
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _outputClosed = new();
    private readonly TaskCompletionSource _errorClosed = new();

    private PortcullisProcess(Process process) => _process = process;

    public string StandardOutput
    {
        get
        {
            lock (_lock)
            {
                return _output.ToString();
            }
        }
    }

    public string StandardError
    {
        get
        {
            lock (_lock)
            {
                return _error.ToString();
            }
        }
    }

    public int Id => _process.Id;

    public static string ExecutablePath => Path.Combine(AppContext.BaseDirectory, "portcullis.dll");

    public static PortcullisProcess Start(params string[] arguments) => StartIn(null, arguments);

    public static PortcullisProcess StartIn(string? workingDirectory, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = workingDirectory };
        start.ArgumentList.Add(ExecutablePath);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var process = new Process { StartInfo = start };
        var started = new PortcullisProcess(process);
        process.OutputDataReceived += (_, e) => started.Take(started._output, e.Data, started._outputClosed);
        process.ErrorDataReceived += (_, e) => started.Take(started._error, e.Data, started._errorClosed);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        return started;
    }

    /// <summary>Runs to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        await using var process = Start(arguments);
        var code = await process.WaitForExitAsync();
        return (code, process.StandardOutput, process.StandardError);
    }

    /// <summary>The first line (already printed, or yet to come) that holds the text.</summary>
    public Task<string> WaitForLineAsync(string text) => WaitForLineAsync(line => line.Contains(text, StringComparison.Ordinal), text);

    public async Task<string> WaitForLineAsync(Func<string, bool> test, string description)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            var line = (_output.ToString() + _error).Split('\n').FirstOrDefault(test);
            if (line is not null)
            {
                return line;
            }

            _waits.Enqueue((test, found));
        }

        try
        {
            return await found.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"no line with `{description}`; the process printed:\n{StandardOutput}{StandardError}");
        }
    }

    /// <summary>How many printed lines hold the text.</summary>
    public int CountLines(string text)
    {
        lock (_lock)
        {
            return (_output.ToString() + _error).Split('\n').Count(l => l.Contains(text, StringComparison.Ordinal));
        }
    }

    /// <summary>The port in a line such as <c>listening on *:0, port 40123</c>.</summary>
    public async Task<int> WaitForPortAsync(string marker)
    {
        var line = await WaitForLineAsync(l => l.Contains(marker, StringComparison.Ordinal) && Port().IsMatch(l), marker);
        return int.Parse(Port().Match(line).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Signal(PosixSignal signal)
    {
        var number = signal switch { PosixSignal.SIGTERM => 15, PosixSignal.SIGINT => 2, > 0 => (int)signal, _ => throw new ArgumentOutOfRangeException(nameof(signal)) };
        _ = Kill(_process.Id, number);
    }

    public async Task<int> WaitForExitAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"the process did not end; it printed:\n{StandardOutput}{StandardError}");
        }

        await Task.WhenAll(_outputClosed.Task, _errorClosed.Task);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private void Take(StringBuilder text, string? line, TaskCompletionSource closed)
    {
        if (line is null)
        {
            closed.TrySetResult();
            return;
        }

        lock (_lock)
        {
            text.Append(line).Append('\n');
            for (var i = _waits.Count; i > 0 && _waits.TryDequeue(out var wait); i--)
            {
                if (wait.Test(line))
                {
                    wait.Found.TrySetResult(line);
                }
                else
                {
                    _waits.Enqueue(wait);
                }
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [GeneratedRegex(@"port (\d+)")]
    private static partial Regex Port();
}
