using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Portcullis.Commands;

/// <summary>
/// Keeps help readable: lists of commands show one line each, and a command's examples come last in its own help. Commands write both into their
/// description, the examples behind an empty line and <c>Example:</c> or <c>Examples:</c>.
/// </summary>
internal sealed class ExampleHelp : SynchronousCommandLineAction
{
    private const string Heading = "Example";

    private readonly HelpAction _help;
    private readonly Dictionary<Command, string> _examples = [];

    private ExampleHelp(HelpAction help) => _help = help;

    /// <summary>Sets it up for a command tree that is complete.</summary>
    public static void UseFor(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        var help = new ExampleHelp((HelpAction)option.Action!);
        help.Take(root);
        option.Action = help;
    }

    public override int Invoke(ParseResult parseResult)
    {
        var code = _help.Invoke(parseResult);
        if (_examples.TryGetValue(parseResult.CommandResult.Command, out var examples))
        {
            parseResult.InvocationConfiguration.Output.WriteLine(examples);
        }

        return code;
    }

    private void Take(Command command)
    {
        var description = command.Description ?? "";
        var at = description.IndexOf("\n" + Heading, StringComparison.Ordinal);
        if (at > 0)
        {
            command.Description = description[..at].Trim();
            _examples[command] = description[(at + 1)..].Trim() + "\n";
        }

        foreach (var child in command.Subcommands)
        {
            Take(child);
        }
    }
}
