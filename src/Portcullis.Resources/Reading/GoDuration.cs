namespace Portcullis.Resources.Reading;

/// <summary>Go's <c>time.ParseDuration</c>, which is what Istio and Kubernetes read durations with.</summary>
internal static class GoDuration
{
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        var negative = text is ['-', ..];
        var rest = text is ['-' or '+', ..] ? text[1..] : text;
        if (rest is "0")
        {
            return true;
        }

        if (rest.IsEmpty)
        {
            return false;
        }

        decimal nanoseconds = 0;
        while (!rest.IsEmpty)
        {
            if (!TakeNumber(ref rest, out var number) || !TakeUnit(ref rest, out var unit))
            {
                return false;
            }

            nanoseconds += number * unit;
            if (nanoseconds > long.MaxValue)
            {
                return false;
            }
        }

        duration = new TimeSpan((long)(nanoseconds / 100));
        if (nanoseconds % 100 != 0)
        {
            // A tick is 100 ns; what is finer must not look like whole milliseconds.
            duration += TimeSpan.FromTicks(1);
        }

        duration = negative ? -duration : duration;
        return true;
    }

    private static bool TakeNumber(ref ReadOnlySpan<char> rest, out decimal number)
    {
        number = 0;
        var digits = 0;
        var scale = 0m;
        var at = 0;
        for (; at < rest.Length && (char.IsAsciiDigit(rest[at]) || (rest[at] == '.' && scale == 0)); at++)
        {
            if (rest[at] == '.')
            {
                scale = 1;
                continue;
            }

            if (++digits > 18)
            {
                return false;
            }

            number = number * 10 + (rest[at] - '0');
            scale *= 10;
        }

        rest = rest[at..];
        number = scale > 1 ? number / scale : number;
        return digits > 0;
    }

    private static bool TakeUnit(ref ReadOnlySpan<char> rest, out decimal nanoseconds)
    {
        var at = 0;
        while (at < rest.Length && rest[at] != '.' && !char.IsAsciiDigit(rest[at]))
        {
            at++;
        }

        nanoseconds = rest[..at] switch
        {
            "ns" => 1,
            "us" or "µs" or "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => 0,
        };
        rest = rest[at..];
        return nanoseconds > 0;
    }
}
