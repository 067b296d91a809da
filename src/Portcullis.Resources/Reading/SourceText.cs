namespace Portcullis.Resources.Reading;

/// <summary>A stretch of a text that holds one document (several only after <c>...</c> or as concatenated JSON).</summary>
/// <param name="Start">First character.</param>
/// <param name="Length">Characters.</param>
/// <param name="Line">Line of the first character, from 1.</param>
internal readonly record struct TextSlice(int Start, int Length, int Line);

/// <summary>
/// The text that documents were read from. It is all that is kept of a document besides its record: a problem report parses the
/// document's slice again to find a line, and the tree of the last such slice is remembered weakly for the next report.
/// </summary>
internal sealed class SourceText(string name, string text)
{
    private readonly Lock _lock = new();
    private readonly WeakReference<Node[]?> _lastTrees = new(null);
    private TextSlice _lastSlice;

    public string Name { get; } = name;

    public string Text { get; } = text;

    public bool IsJson { get; } = name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    /// <summary>The trees of a slice that was read before without a syntax error.</summary>
    public Node[] TreesOf(TextSlice slice)
    {
        lock (_lock)
        {
            if (_lastSlice == slice && _lastTrees.TryGetTarget(out var known) && known is not null)
            {
                return known;
            }

            var trees = TreeParser.Parse(this, slice, new ReadContext(Name));
            _lastSlice = slice;
            _lastTrees.SetTarget(trees);
            return trees;
        }
    }

    /// <summary>
    /// Cuts a text at its <c>---</c> lines. YAML allows three dashes at the start of a line nowhere else, not even in block or quoted
    /// scalars, so a syntax error in one document leaves the others readable.
    /// </summary>
    public List<TextSlice> Split()
    {
        if (IsJson)
        {
            return [new(0, Text.Length, 1)];
        }

        var slices = new List<TextSlice>();
        int start = 0, startLine = 1, line = 1, at = Text.StartsWith('\uFEFF') ? 1 : 0;
        start = at;
        var hasContent = false;
        while (at < Text.Length)
        {
            var end = Text.AsSpan(at).IndexOfAny('\n', '\r');
            end = end < 0 ? Text.Length : at + end;
            var current = Text.AsSpan(at, end - at);
            if (current.StartsWith("---") && (current.Length == 3 || current[3] is ' ' or '\t'))
            {
                if (hasContent)
                {
                    slices.Add(new(start, at - start, startLine));
                    (start, startLine) = (at, line);
                }

                hasContent = true;
            }
            else if (!hasContent)
            {
                // Directives and comments belong to the document after them.
                var trimmed = current.TrimStart(" \t");
                hasContent = !trimmed.IsEmpty && trimmed[0] is not ('#' or '%');
            }

            at = end;
            if (at < Text.Length)
            {
                at += Text[at] == '\r' && at + 1 < Text.Length && Text[at + 1] == '\n' ? 2 : 1;
                line++;
            }
        }

        if (hasContent)
        {
            slices.Add(new(start, Text.Length - start, startLine));
        }

        return slices;
    }
}
