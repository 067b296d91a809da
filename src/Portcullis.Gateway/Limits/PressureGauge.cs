namespace Portcullis.Gateway.Limits;

/// <summary>
/// Judges samples of the process: begins to shed above a limit and ends clearly below it, so that the gateway does not flutter.
/// One caller at a time.
/// </summary>
internal sealed class PressureGauge(GatewayLimits limits)
{
    /// <summary>Percent points below the limit at which memory is no longer short.</summary>
    private const int MemoryHysteresis = 5;

    private bool _late;
    private bool _short;

    /// <summary>Takes a sample.</summary>
    /// <param name="queueDelay">How late work began, or has not begun yet.</param>
    /// <param name="resident">Bytes of memory that the process has.</param>
    /// <param name="available">Bytes that it may have: the container's limit, else the machine's memory; 0 is not known.</param>
    /// <returns>Why to shed.</returns>
    public ShedReason Judge(TimeSpan queueDelay, long resident, long available)
    {
        _late = limits.QueueDelay > TimeSpan.Zero && queueDelay > (_late ? limits.QueueDelay / 2 : limits.QueueDelay);
        if (limits.MemoryPercent > 0 && available > 0)
        {
            var percent = (int)Math.Min(resident * 100.0 / available, 1000);
            _short = percent >= (_short ? limits.MemoryPercent - MemoryHysteresis : limits.MemoryPercent);
        }

        return _short ? ShedReason.Memory : _late ? ShedReason.QueueDelay : ShedReason.None;
    }
}
