using Spectre.Console;

namespace Portcullis.Testing;

/// <summary>Lines of styled text, control characters made visible.</summary>
internal sealed class StyledLines(IAnsiConsole console)
{
    public const string Good = "green";
    public const string Bad = "red";
    public const string Quiet = "grey";
    public const string Strong = "bold";

    public void Empty() => console.WriteLine();

    public void Line(int depth, string text, string? style = null) => Line(depth, [(text, style)]);

    public void Line(int depth, params ReadOnlySpan<(string Text, string? Style)> parts)
    {
        var line = new Paragraph(new string(' ', depth * 2));
        foreach (var (text, style) in parts)
        {
            line.Append(Printable(text), style is null ? Style.Plain : Style.Parse(style));
        }

        console.Write(line);
        console.WriteLine();
    }

    /// <summary>A request or token may hold control characters, which a terminal would obey.</summary>
    private static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;
}
