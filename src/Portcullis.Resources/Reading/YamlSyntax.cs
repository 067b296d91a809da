using YamlDotNet.Core;

namespace Portcullis.Resources.Reading;

/// <summary>Turns the scanner's errors into what an author can act on.</summary>
internal static class YamlSyntax
{
    public static (string Message, string? Remedy, SourcePosition Position) Explain(YamlException error, string text, TextSlice slice)
    {
        var position = new SourcePosition(slice.Line + Math.Max((int)error.Start.Line, 1) - 1, Math.Max((int)error.Start.Column, 1));
        var message = error.Message.TrimEnd('.');
        message = message.Length > 0 ? char.ToLowerInvariant(message[0]) + message[1..] : "not valid YAML";
        // The scanner says "tab" without a useful place; elsewhere a tab on the failing lines is the likeliest cause.
        var last = message.Contains("tab", StringComparison.Ordinal) ? Lines(text, slice) : (int)error.End.Line + 1;
        for (var number = (int)error.Start.Line; number <= last; number++)
        {
            var line = Line(text, slice, number);
            if (line.TrimStart(' ') is ['\t', ..])
            {
                return ("a tab indents this line", "YAML is indented with spaces only", new(slice.Line + number - 1, line.IndexOf('\t') + 1));
            }
        }

        if (message.Contains("quoted scalar", StringComparison.Ordinal))
        {
            return (message, "close the quote that begins here", position);
        }

        if (message.Contains("mapping values", StringComparison.Ordinal) || message.Contains("simple key", StringComparison.Ordinal))
        {
            return (message, "check the indentation, put a blank after each `:`, and quote text that holds `: `", position);
        }

        if (message.Contains("cannot start any token", StringComparison.Ordinal))
        {
            return (message, "quote text that begins with this character", position);
        }

        return (message, "check the indentation and the brackets here", position);
    }

    private static int Lines(string text, TextSlice slice) => text.AsSpan(slice.Start, slice.Length).Count('\n') + 1;

    private static ReadOnlySpan<char> Line(string text, TextSlice slice, int number)
    {
        var rest = text.AsSpan(slice.Start, slice.Length);
        for (var line = 1; line < number; line++)
        {
            var end = rest.IndexOf('\n');
            if (end < 0)
            {
                return [];
            }

            rest = rest[(end + 1)..];
        }

        var stop = rest.IndexOfAny('\r', '\n');
        return stop < 0 ? rest : rest[..stop];
    }
}
