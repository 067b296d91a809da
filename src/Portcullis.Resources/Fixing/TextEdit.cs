using System.Text;

namespace Portcullis.Resources;

/// <summary>A stretch of one line and what replaces it; a new text of <see langword="null"/> takes the whole line away.</summary>
internal sealed record TextEdit(int Start, int Length, string? NewText)
{
    /// <summary>The edit that a fix is at a column; <see langword="null"/> when something else stands there, or it would harm what is around it.</summary>
    public static TextEdit? For(string line, int column, SuggestedFix fix)
    {
        if (column < 0 || column >= line.Length || TokenLength(line, column, fix.OldText) is not { } length)
        {
            return null;
        }

        if (fix.NewText is not { } replacement)
        {
            return Removal(line, column, length);
        }

        return line[column] switch
        {
            '"' => fix.IsQuoted || replacement.AsSpan().ContainsAny('"', '\\') ? null : new(column, length, $"\"{replacement}\""),
            '\'' => fix.IsQuoted ? null : new(column, length, $"'{replacement.Replace("'", "''", StringComparison.Ordinal)}'"),
            _ when fix.IsQuoted || !IsPlain(replacement) => replacement.AsSpan().ContainsAny('"', '\\') ? null : new(column, length, $"\"{replacement}\""),
            _ => new(column, length, replacement),
        };
    }

    public bool Overlaps(TextEdit other) =>
        NewText is null || other.NewText is null ? Start < other.Start + Math.Max(other.Length, 1) && other.Start < Start + Math.Max(Length, 1)
        : Start < other.Start + other.Length && other.Start < Start + Length;

    public static string? ApplyAll(string line, List<TextEdit> edits)
    {
        var result = new StringBuilder(line);
        foreach (var edit in edits.OrderByDescending(e => e.Start))
        {
            if (edit.NewText is null)
            {
                return null;
            }

            result.Remove(edit.Start, edit.Length).Insert(edit.Start, edit.NewText);
        }

        return result.ToString();
    }

    /// <summary>Length of the scalar at a column, when it is the expected one.</summary>
    private static int? TokenLength(string line, int column, string expected)
    {
        var quote = line[column];
        if (quote is not ('"' or '\''))
        {
            var end = column + expected.Length;
            return string.CompareOrdinal(line, column, expected, 0, expected.Length) == 0 && (end == line.Length || line[end] is ' ' or '\t' or ',' or ']' or '}' or ':')
                ? expected.Length
                : null;
        }

        // A double-quoted text with escapes is left alone: it has many spellings.
        var written = quote == '\'' ? expected.Replace("'", "''", StringComparison.Ordinal) : expected;
        var close = column + 1 + written.Length;
        return close < line.Length && line[close] == quote && string.CompareOrdinal(line, column + 1, written, 0, written.Length) == 0
            && (quote == '\'' || !written.AsSpan().ContainsAny('"', '\\')) && (close + 1 == line.Length || line[close + 1] != quote)
                ? written.Length + 2
                : null;
    }

    /// <summary>An item on a line of its own goes with the line; one in brackets goes with the comma before it. A comment beside it is never lost.</summary>
    private static TextEdit? Removal(string line, int column, int length)
    {
        var before = line.AsSpan(0, column).TrimEnd();
        var after = line.AsSpan(column + length).Trim();
        if (before is [.., '-'] && before[..^1].Trim().IsEmpty && after.IsEmpty)
        {
            return new(0, line.Length, null);
        }

        return before is [.., ','] && (after.IsEmpty || after[0] is ',' or ']') ? new(before.Length - 1, column + length - before.Length + 1, "") : null;
    }

    /// <summary>Can stand without quotes wherever a plain text stood.</summary>
    private static bool IsPlain(string text) =>
        text.Length > 0 && (char.IsAsciiLetter(text[0]) || text[0] == '/')
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or '~' or '%' or '*' or '+');
}
