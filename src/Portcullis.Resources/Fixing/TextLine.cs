namespace Portcullis.Resources;

/// <summary>A line with its end, so that every text can be put together again as it was.</summary>
internal readonly record struct TextLine(string Content, string End)
{
    public static List<TextLine> Split(string text)
    {
        var lines = new List<TextLine>();
        var start = 0;
        while (start < text.Length)
        {
            var length = text.AsSpan(start).IndexOfAny('\n', '\r');
            if (length < 0)
            {
                lines.Add(new(text[start..], ""));
                break;
            }

            var end = start + length;
            var isPair = text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n';
            lines.Add(new(text[start..end], isPair ? "\r\n" : text[end].ToString()));
            start = end + (isPair ? 2 : 1);
        }

        return lines;
    }
}
