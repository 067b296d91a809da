using System.CommandLine;

namespace Portcullis.Commands;

/// <summary><c>portcullis completion</c>: prints a script that makes a shell complete commands, options and values.</summary>
internal static class CompletionCommand
{
    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." }.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", """
            Print a completion script for a shell.

            Examples:
              source <(portcullis completion bash)
              portcullis completion fish > ~/.config/fish/completions/portcullis.fish
            """)
        {
            shell,
        };
        command.SetAction(result => result.InvocationConfiguration.Output.Write(Script(result.GetRequiredValue(shell))));
        return command;
    }

    /// <summary>Each asks the program itself (<c>[suggest:POSITION] LINE</c>), so that a script never goes stale.</summary>
    private static string Script(string shell) => shell switch
    {
        "bash" => """
            _portcullis() {
              local IFS=$'\n'
              COMPREPLY=($(compgen -W "$(portcullis "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _portcullis portcullis

            """,
        "zsh" => """
            #compdef portcullis
            _portcullis() {
              local -a suggestions
              suggestions=("${(@f)$(portcullis "[suggest:${#BUFFER}]" "$BUFFER" 2>/dev/null)}")
              compadd -a suggestions || _files
            }
            compdef _portcullis portcullis

            """,
        "fish" => """
            complete -c portcullis -a '(portcullis "[suggest:"(commandline -C)"]" (commandline -c) 2>/dev/null)'

            """,
        _ => """
            Register-ArgumentCompleter -Native -CommandName portcullis -ScriptBlock {
              param($word, $ast, $position)
              portcullis "[suggest:$position]" "$ast" | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }

            """,
    };
}
