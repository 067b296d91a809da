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
        var line = Line(text, slice, (int)error.End.Line);
        if (line.TrimStart(' ') is ['\t', ..])
        {
            var column = line.IndexOf('\t') + 1;
            return ("a tab indents this line", "YAML is indented with spaces only", new(slice.Line + (int)error.End.Line - 1, column));
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
