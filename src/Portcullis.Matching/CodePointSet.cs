using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Portcullis.Matching;

/// <summary>A set of Unicode scalar values, as RE2 sees a character class; written out in .NET's regex syntax over UTF-16.</summary>
internal sealed class CodePointSet
{
    private const int Last = 0x10FFFF;
    private static readonly ConcurrentDictionary<string, CodePointSet?> Categories = new();
    private readonly List<(int First, int Last)> _ranges = [];

    public static CodePointSet Of(params ReadOnlySpan<(int First, int Last)> ranges)
    {
        var set = new CodePointSet();
        foreach (var (first, last) in ranges)
        {
            set.Add(first, last);
        }

        return set;
    }

    public void Add(int first, int last) => _ranges.Add((first, last));

    public void Add(CodePointSet other) => _ranges.AddRange(other._ranges);

    public CodePointSet Negate()
    {
        var result = new CodePointSet();
        var next = 0;
        foreach (var (first, last) in Normalize())
        {
            if (first > next)
            {
                result.Add(next, first - 1);
            }

            next = last + 1;
        }

        if (next <= Last)
        {
            result.Add(next, Last);
        }

        return result;
    }

    /// <summary>Adds what RE2's <c>(?i)</c> holds equal.</summary>
    /// <returns><see langword="false"/> when the set has a non-ASCII member, whose folding differs between the engines.</returns>
    public bool TryFold()
    {
        foreach (var (first, last) in _ranges.ToArray())
        {
            if (last > 0x7F)
            {
                return false;
            }

            for (var c = first; c <= last; c++)
            {
                if (char.IsAsciiLetter((char)c))
                {
                    Add(c ^ 0x20, c ^ 0x20);
                    switch (c | 0x20)
                    {
                        case 'k':
                            Add(0x212A, 0x212A); // KELVIN SIGN
                            break;
                        case 's':
                            Add(0x17F, 0x17F); // LATIN SMALL LETTER LONG S
                            break;
                    }
                }
            }
        }

        return true;
    }

    /// <summary>Whether all characters above ASCII are in, or none.</summary>
    public bool TreatsNonAsciiAlike()
    {
        var ranges = Normalize();
        return ranges.Count == 0 || ranges[^1].Last <= 0x7F || (ranges[^1].Last == Last && ranges[^1].First <= 0x80);
    }

    /// <summary>A general category such as <c>N</c> or <c>Lu</c>, or <c>Any</c>; <see langword="null"/> for any other name.</summary>
    public static CodePointSet? Category(string name) => Categories.GetOrAdd(name, static name =>
    {
        if (name == "Any")
        {
            return Of((0, Last));
        }

        if (name.Length is not (1 or 2))
        {
            return null;
        }

        var set = new CodePointSet();
        for (var c = 0; c <= Last; c++)
        {
            var category = CharUnicodeInfo.GetUnicodeCategory(c);
            if (category is not (UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate) && Abbreviation(category).StartsWith(name))
            {
                set.AddNext(c);
            }
        }

        return set._ranges.Count == 0 ? null : set;
    });

    /// <summary>Appends a group that matches exactly one member.</summary>
    /// <param name="output">Receives the pattern.</param>
    /// <param name="foldNonAscii">Write all characters above ASCII as U+E000 (see <see cref="SafeRegex"/> on <c>\b</c>).</param>
    public void Write(StringBuilder output, bool foldNonAscii)
    {
        var basic = new StringBuilder();
        var pairs = new StringBuilder();
        foreach (var (first, last) in Normalize())
        {
            if (foldNonAscii)
            {
                WriteRange(basic, first, Math.Min(last, 0x7F));
                WriteRange(basic, Math.Max(first, 0xE000), Math.Min(last, 0xE000));
                continue;
            }

            WriteRange(basic, first, Math.Min(last, 0xD7FF));
            WriteRange(basic, Math.Max(first, 0xE000), Math.Min(last, 0xFFFF));
            WritePairs(pairs, Math.Max(first, 0x10000), last);
        }

        if (basic.Length == 0 && pairs.Length == 0)
        {
            output.Append("[^\\0-\\uFFFF]"); // matches nothing
            return;
        }

        output.Append("(?:");
        if (basic.Length > 0)
        {
            output.Append('[').Append(basic).Append(']');
        }

        output.Append(basic.Length == 0 ? pairs.ToString(1, pairs.Length - 1) : pairs.ToString()).Append(')');
    }

    private static void WritePairs(StringBuilder output, int first, int last)
    {
        while (first <= last)
        {
            var high = 0xD800 + ((first - 0x10000) >> 10);
            var low = 0xDC00 + ((first - 0x10000) & 0x3FF);
            var lastHigh = 0xD800 + ((last - 0x10000) >> 10);
            var lastLow = 0xDC00 + ((last - 0x10000) & 0x3FF);
            var endHigh = lastLow == 0xDFFF ? lastHigh : lastHigh - 1; // last lead surrogate that takes every trail surrogate
            if (low == 0xDC00 && endHigh >= high)
            {
                WritePair(output, high, endHigh, low, 0xDFFF);
                first = (((endHigh - 0xD800) + 1) << 10) + 0x10000;
            }
            else
            {
                var end = high == lastHigh ? lastLow : 0xDFFF;
                WritePair(output, high, high, low, end);
                first += end - low + 1;
            }
        }
    }

    private static void WritePair(StringBuilder output, int high, int lastHigh, int low, int lastLow)
    {
        output.Append("|[");
        WriteRange(output, high, lastHigh);
        output.Append("][");
        WriteRange(output, low, lastLow);
        output.Append(']');
    }

    private static void WriteRange(StringBuilder output, int first, int last)
    {
        if (first <= last)
        {
            output.Append(CultureInfo.InvariantCulture, $"\\u{first:X4}");
            if (last > first)
            {
                output.Append(CultureInfo.InvariantCulture, $"-\\u{last:X4}");
            }
        }
    }

    private static ReadOnlySpan<char> Abbreviation(UnicodeCategory category) =>
        "LuLlLtLmLoMnMcMeNdNlNoZsZlZpCcCfCsCoPcPdPsPePiPfPoSmScSkSoCn".AsSpan((int)category * 2, 2);

    private void AddNext(int c)
    {
        if (_ranges.Count > 0 && _ranges[^1].Last == c - 1)
        {
            _ranges[^1] = (_ranges[^1].First, c);
        }
        else
        {
            Add(c, c);
        }
    }

    private List<(int First, int Last)> Normalize()
    {
        var merged = new List<(int First, int Last)>();
        foreach (var (first, last) in _ranges.OrderBy(r => r.First))
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1)
            {
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            }
            else
            {
                merged.Add((first, last));
            }
        }

        return merged;
    }
}
