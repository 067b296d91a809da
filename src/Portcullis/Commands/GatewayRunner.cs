using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Portcullis.Gateway;
using Portcullis.Resources;

namespace Portcullis.Commands;

/// <summary>Runs a gateway in the foreground: errors before ports, drain on the first signal, end at once on the second.</summary>
internal static partial class GatewayRunner
{
    /// <summary>No member of <see cref="PosixSignal"/>, which takes the system's own numbers too.</summary>
    private static PosixSignal ReopenSignal => (PosixSignal)(OperatingSystem.IsMacOS() ? 30 : 10); // SIGUSR1

    /// <param name="options">What to run.</param>
    /// <param name="loggers">Application log.</param>
    /// <param name="error">Where a refused start is explained.</param>
    /// <param name="started">Called once the gateway answers.</param>
    /// <param name="cancellationToken">Stops like a signal.</param>
    public static async Task<int> RunAsync(
        GatewayOptions options,
        ILoggerFactory loggers,
        TextWriter error,
        Func<GatewayServer, Task>? started,
        CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger("Portcullis");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var abort = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        GatewayServer? running = null;
        using var reopen = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(ReopenSignal, OnReopen);
        try
        {
            await using var gateway = await GatewayServer.StartAsync(options, loggers, TimeProvider.System, stop.Token);
            Volatile.Write(ref running, gateway);
            if (started is not null)
            {
                await started(gateway);
            }

            await WaitAsync(stop.Token);
            // Readiness is off before anybody reads that the gateway stops.
            var stopped = gateway.StopAsync(abort.Token);
            LogDraining(logger, options.DrainTime.TotalSeconds);
            await stopped;
            LogStopped(logger);
            return ExitCode.Good;
        }
        catch (ConfigurationException e)
        {
            foreach (var problem in e.Problems.OrderByDescending(p => p.Severity))
            {
                await error.WriteLineAsync(problem.ToString());
            }

            await error.WriteLineAsync($"not started: {e.Message}");
            return e.Problems.Any(p => p.Code == ProblemCodes.Unreadable) ? ExitCode.Usage : ExitCode.No;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"not started: {e.Message}");
            return ExitCode.Usage;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Good;
        }

        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (stop.IsCancellationRequested)
            {
                abort.Cancel();
            }

            stop.Cancel();
        }

        void OnReopen(PosixSignalContext context)
        {
            context.Cancel = true; // else the process would end
            Volatile.Read(ref running)?.ReopenAccessLog();
        }
    }

    private static async Task WaitAsync(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.Register(stopped.SetResult);
        await stopped.Task;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "stopping: requests in flight have {Seconds} s to finish; a second signal ends them now")]
    private static partial void LogDraining(ILogger logger, double seconds);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "stopped")]
    private static partial void LogStopped(ILogger logger);
}
