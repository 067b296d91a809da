using System.Text;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// Texts of policies, sharing their beginnings (or their ends), each with the rules that it leads to. One walk along a request's text finds every one that
/// the request begins with, however many there are.
/// </summary>
internal sealed class TextTrie
{
    private readonly string _label;
    private readonly char[] _firsts;
    private readonly TextTrie[] _children;

    private TextTrie(string label, RuleNode? part, char[] firsts, TextTrie[] children)
    {
        _label = label;
        Part = part;
        _firsts = firsts;
        _children = children;
    }

    /// <summary>Rules of the text that ends here, whatever follows in the request's.</summary>
    public RuleNode? Part { get; }

    /// <summary>Builds the trie.</summary>
    /// <param name="entries">Texts, each once; those of a trie of ends are reversed.</param>
    public static TextTrie Build(IEnumerable<TextEntry> entries)
    {
        var sorted = entries.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Text, b.Text));
        return Build(sorted, 0);
    }

    /// <summary>Goes along the text as far as this node's label.</summary>
    /// <returns>The text after the label, or a text of length -1 (<see langword="false"/>) when it differs.</returns>
    public bool TryAdvance(ReadOnlySpan<char> text, TextDirection direction, out ReadOnlySpan<char> rest)
    {
        if (text.Length < _label.Length)
        {
            rest = default;
            return false;
        }

        if (direction == TextDirection.FromEnd || direction == TextDirection.FromEndIgnoringCase)
        {
            rest = text[..^_label.Length];
            return IsReversed(text[rest.Length..], direction == TextDirection.FromEndIgnoringCase);
        }

        rest = text[_label.Length..];
        return direction == TextDirection.FromStart
            ? text.StartsWith(_label)
            : Ascii.EqualsIgnoreCase(text[.._label.Length], _label);
    }

    /// <summary>The node to go on with.</summary>
    public TextTrie? Next(ReadOnlySpan<char> rest, TextDirection direction)
    {
        if (rest.IsEmpty || _children.Length == 0)
        {
            return null;
        }

        var next = direction is TextDirection.FromStart or TextDirection.FromStartIgnoringCase ? rest[0] : rest[^1];
        if (direction is TextDirection.FromStartIgnoringCase or TextDirection.FromEndIgnoringCase && char.IsAsciiLetterUpper(next))
        {
            next = (char)(next | 0x20);
        }

        var at = _firsts.AsSpan().IndexOf(next);
        return at < 0 ? null : _children[at];
    }

    private bool IsReversed(ReadOnlySpan<char> text, bool ignoresCase)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var unit = text[text.Length - 1 - i];
            if (unit != _label[i] && !(ignoresCase && char.IsAsciiLetterUpper(unit) && (unit | 0x20) == _label[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static TextTrie Build(ReadOnlySpan<TextEntry> entries, int start)
    {
        var end = entries[0].Text.AsSpan(start).CommonPrefixLength(entries[^1].Text.AsSpan(start)) + start;
        var label = entries[0].Text[start..end];
        RuleNode? part = null;
        if (entries[0].Text.Length == end)
        {
            part = entries[0].Part;
            entries = entries[1..];
        }

        var firsts = new List<char>();
        var children = new List<TextTrie>();
        while (!entries.IsEmpty)
        {
            var first = entries[0].Text[end];
            var count = 1;
            while (count < entries.Length && entries[count].Text[end] == first)
            {
                count++;
            }

            firsts.Add(first);
            children.Add(Build(entries[..count], end));
            entries = entries[count..];
        }

        return new TextTrie(label, part, [.. firsts], [.. children]);
    }
}

/// <summary>From which end a text is read, and how its letters are compared.</summary>
internal enum TextDirection : byte
{
    FromStart,
    FromStartIgnoringCase,
    FromEnd,
    FromEndIgnoringCase,
}

/// <summary>A text of the trie with the rules that it leads to.</summary>
internal readonly record struct TextEntry(string Text, RuleNode Part);
