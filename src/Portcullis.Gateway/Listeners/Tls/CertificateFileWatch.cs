using Microsoft.Extensions.Logging;
using Portcullis.Gateway.Configuration;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>Takes up certificates that were rotated in files, which no resource tells of.</summary>
internal sealed partial class CertificateFileWatch : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly SnapshotHolder<GatewaySnapshot> _snapshots;
    private readonly ILogger _logger;
    private readonly PeriodicTimer _timer;
    private readonly Task _watching;

    public CertificateFileWatch(SnapshotHolder<GatewaySnapshot> snapshots, TimeProvider time, ILogger logger)
    {
        (_snapshots, _logger) = (snapshots, logger);
        _timer = new PeriodicTimer(Interval, time);
        _watching = WatchAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _watching;
    }

    private async Task WatchAsync()
    {
        IReadOnlyList<string> known = [];
        while (await _timer.WaitForNextTickAsync())
        {
            var failures = _snapshots.Current.Tls.RefreshFiles();
            foreach (var failure in failures.Except(known))
            {
                LogNotRotated(_logger, failure);
            }

            known = failures;
        }
    }

    [LoggerMessage(EventId = 1130, Level = LogLevel.Warning, Message = "a rotated certificate cannot be used: {Failure}")]
    private static partial void LogNotRotated(ILogger logger, string failure);
}
