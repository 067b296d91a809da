using System.Globalization;

namespace Portcullis.Gateway.Pipeline;

/// <summary>The <c>grpc-timeout</c> header: at most eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    private const int MaxDigits = 8;
    private const long MaxValue = 99_999_999;

    /// <returns><see langword="null"/> for what is no timeout, and for zero, which Envoy takes as none.</returns>
    public static TimeSpan? Parse(string? text)
    {
        if (text is not { Length: >= 2 and <= MaxDigits + 1 } || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        var ticks = text[^1] switch
        {
            'H' => value * TimeSpan.TicksPerHour,
            'M' => value * TimeSpan.TicksPerMinute,
            'S' => value * TimeSpan.TicksPerSecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'u' => value * TimeSpan.TicksPerMicrosecond,
            // Rounded up, so that a short time does not become none.
            'n' => (value + TimeSpan.NanosecondsPerTick - 1) / TimeSpan.NanosecondsPerTick,
            _ => 0,
        };
        return ticks > 0 ? TimeSpan.FromTicks(ticks) : null;
    }

    /// <summary>The header for a timeout, in milliseconds as long as these fit.</summary>
    public static string Format(TimeSpan timeout)
    {
        var milliseconds = (long)timeout.TotalMilliseconds;
        return milliseconds <= MaxValue ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds}m")
            : milliseconds / 1000 <= MaxValue ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000}S")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Min(milliseconds / 3_600_000, MaxValue)}H");
    }
}
