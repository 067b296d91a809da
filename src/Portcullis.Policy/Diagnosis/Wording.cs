using System.Text;

namespace Portcullis.Policy.Diagnosis;

/// <summary>How values of tokens and spans of time are told.</summary>
internal static class Wording
{
    private const int Longest = 200;

    /// <summary>A value of a stranger's making: cut, and without what a terminal would obey.</summary>
    public static string Quote(string? value)
    {
        if (value is null)
        {
            return "absent";
        }

        var text = new StringBuilder("`");
        foreach (var rune in value.EnumerateRunes())
        {
            if (text.Length > Longest)
            {
                text.Append('…');
                break;
            }

            if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format)
            {
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            }
            else
            {
                text.Append(rune);
            }
        }

        return text.Append('`').ToString();
    }

    public static string List(IReadOnlyCollection<string> values) =>
        values.Count == 0 ? "nothing" : string.Join(", ", values.Take(10).Select(Quote)) + (values.Count > 10 ? $" and {values.Count - 10} more" : "");

    /// <summary><c>3 min 12 s</c>; <see langword="null"/> for a time past the year 9999.</summary>
    public static string Span(TimeSpan? span) => span switch
    {
        null => "more than 7000 years",
        { TotalDays: >= 1 } s => $"{(long)s.TotalDays} d {s.Hours} h",
        { TotalHours: >= 1 } s => $"{s.Hours} h {s.Minutes} min",
        { TotalMinutes: >= 1 } s => $"{s.Minutes} min {s.Seconds} s",
        { } s => $"{s.Seconds} s",
    };

    /// <summary>A <c>NumericDate</c> (RFC 7519 §2) as a time; <see langword="null"/> past the year 9999.</summary>
    public static DateTimeOffset? TimeOf(ulong seconds) =>
        seconds <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : null;

    public static string Date(ulong seconds) => TimeOf(seconds)?.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) ?? "never";
}
