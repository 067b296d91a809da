using Spectre.Console;

namespace Portcullis.Explaining;

/// <summary>Styled text on a writer: in colour on a terminal, plain when redirected or with <c>NO_COLOR</c>.</summary>
internal static class TextConsole
{
    /// <summary>Lines are never broken in a file or a pipe: programs such as grep read it.</summary>
    private const int Unbroken = 100_000;

    public static IAnsiConsole For(TextWriter writer)
    {
        var isTerminal = ReferenceEquals(writer, Console.Out) && !Console.IsOutputRedirected;
        var hasColor = isTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = hasColor ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = hasColor ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (!isTerminal)
        {
            console.Profile.Width = Unbroken;
        }

        return console;
    }
}
