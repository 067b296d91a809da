using System.Globalization;
using System.Text;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary><c>%START_TIME(format)%</c>: the conversions of <c>strftime</c>, and Envoy's <c>%f</c> with a number of digits. Always in UTC.</summary>
internal sealed class AccessLogTime
{
    private const int MaxFraction = 9;

    private readonly List<(char Kind, int Digits, string Text)> _parts = [];

    /// <exception cref="FormatException">A conversion is not known; the message names it.</exception>
    public AccessLogTime(string format)
    {
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                _parts.Add(('\0', 0, format[i].ToString()));
                continue;
            }

            var digits = 0;
            if (++i < format.Length && char.IsAsciiDigit(format[i]))
            {
                digits = format[i++] - '0';
            }

            var kind = i < format.Length ? format[i] : '%';
            if (!"YmdHMSsfFTybaejzZ".Contains(kind, StringComparison.Ordinal) || (digits > 0 && kind != 'f') || i >= format.Length)
            {
                throw new FormatException($"`%{(i < format.Length ? format[i] : "")}` in `{format}` is no conversion of a time; known are %Y %m %d %H %M %S %s %f %3f %F %T %y %b %a %e %j %z %Z");
            }

            _parts.Add((kind, digits == 0 ? MaxFraction : digits, ""));
        }
    }

    public string Render(DateTimeOffset time)
    {
        var text = new StringBuilder();
        var utc = time.UtcDateTime;
        foreach (var (kind, digits, literal) in _parts)
        {
            text.Append(kind switch
            {
                '\0' => literal,
                's' => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
                'f' => Fraction(utc, digits),
                'z' => "+0000",
                'Z' => "UTC",
                'e' => utc.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
                'j' => utc.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                _ => utc.ToString(Custom(kind), CultureInfo.InvariantCulture),
            });
        }

        return text.ToString();
    }

    private static string Custom(char kind) => kind switch
    {
        'Y' => "yyyy",
        'm' => "MM",
        'd' => "dd",
        'H' => "HH",
        'M' => "mm",
        'S' => "ss",
        'F' => "yyyy-MM-dd",
        'T' => "HH:mm:ss",
        'y' => "yy",
        'b' => "MMM",
        _ => "ddd",
    };

    private static string Fraction(DateTime time, int digits) =>
        (time.Ticks % TimeSpan.TicksPerSecond).ToString("0000000", CultureInfo.InvariantCulture).PadRight(MaxFraction, '0')[..Math.Max(digits, 1)];
}
