using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Portcullis.Gateway.Jwks;

/// <summary>A duration as Go writes it (<c>time.ParseDuration</c>): <c>300ms</c>, <c>20m</c>, <c>1h30m</c>, <c>1.5h</c>. Negative ones are refused.</summary>
public static class GoDuration
{
    private static readonly SearchValues<char> NumberChars = SearchValues.Create("0123456789.");

    private static readonly (string Unit, decimal Ticks)[] Units =
    [
        ("ns", TimeSpan.TicksPerMicrosecond / 1000m),
        ("us", TimeSpan.TicksPerMicrosecond),
        ("µs", TimeSpan.TicksPerMicrosecond),
        ("μs", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour),
    ];

    /// <summary>Parses a duration.</summary>
    /// <param name="text">One or more numbers, each with its unit.</param>
    /// <param name="duration">Their sum.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0")
        {
            return true;
        }

        var rest = text.AsSpan();
        var ticks = 0m;
        if (rest.IsEmpty)
        {
            return false;
        }

        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberChars);
            if (digits is <= 0 or > 20
                || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || UnitAt(rest[digits..]) is not ({ } unit, var ticksPerUnit))
            {
                return false;
            }

            ticks += number * ticksPerUnit;
            rest = rest[(digits + unit.Length)..];
        }

        if (ticks > TimeSpan.MaxValue.Ticks)
        {
            return false;
        }

        duration = new TimeSpan((long)ticks);
        return true;
    }

    /// <summary>The unit that ends where the next number begins.</summary>
    private static (string Unit, decimal Ticks)? UnitAt(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAny(NumberChars);
        var name = end < 0 ? text : text[..end];
        foreach (var unit in Units)
        {
            if (name.SequenceEqual(unit.Unit))
            {
                return unit;
            }
        }

        return null;
    }
}
