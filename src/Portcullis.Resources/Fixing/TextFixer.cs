using System.Text;

namespace Portcullis.Resources;

/// <summary>
/// Makes the fixes that problems carry, in the text itself: comments, order and layout stay as they are. A fix whose place does not hold what it expects is
/// left out, so a text that has changed meanwhile is not spoilt. Pure.
/// </summary>
public static class TextFixer
{
    /// <summary>Makes every fix that can be made.</summary>
    /// <param name="text">The text that the problems were found in.</param>
    /// <param name="problems">Those without a fix or place are passed over.</param>
    public static FixedText Apply(string text, IEnumerable<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(problems);
        var lines = TextLine.Split(text);
        var edits = new Dictionary<int, List<TextEdit>>();
        var mended = new List<Problem>();
        foreach (var problem in problems)
        {
            if (problem is { Fix: { } fix, Position: { } place }
                && place.Line >= 1 && place.Line <= lines.Count
                && TextEdit.For(lines[place.Line - 1].Content, place.Column - 1, fix) is { } edit
                && Take(edits, place.Line - 1, edit))
            {
                mended.Add(problem);
            }
        }

        var result = new StringBuilder(text.Length);
        var changed = new List<FixedLine>();
        for (var i = 0; i < lines.Count; i++)
        {
            var (content, end) = lines[i];
            if (!edits.TryGetValue(i, out var own))
            {
                result.Append(content).Append(end);
                continue;
            }

            var fixedLine = TextEdit.ApplyAll(content, own);
            changed.Add(new(i + 1, content, fixedLine));
            if (fixedLine is not null)
            {
                result.Append(fixedLine).Append(end);
            }
        }

        return new(result.ToString(), [.. changed], [.. mended]);
    }

    /// <summary>Two fixes of one place (the same list through an anchor) are one; overlapping ones are not made.</summary>
    private static bool Take(Dictionary<int, List<TextEdit>> edits, int line, TextEdit edit)
    {
        if (!edits.TryGetValue(line, out var own))
        {
            edits[line] = own = [];
        }

        if (own.Exists(e => e.Overlaps(edit)))
        {
            return own.Contains(edit);
        }

        own.Add(edit);
        return true;
    }
}
