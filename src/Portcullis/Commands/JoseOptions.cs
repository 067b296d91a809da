using System.CommandLine;
using System.Globalization;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary>Options that several of the key and token commands have.</summary>
internal static class JoseOptions
{
    public static Option<JwsAlgorithm?> Algorithm(string description)
    {
        var option = new Option<JwsAlgorithm?>("--alg", "-a")
        {
            Description = description,
            HelpName = "ALG",
            CustomParser = result =>
            {
                if (JwsAlgorithms.TryParse(result.Tokens[0].Value, out var algorithm))
                {
                    return algorithm;
                }

                result.AddError($"--alg: `{result.Tokens[0].Value}` is none of {string.Join(", ", JwsAlgorithms.All.Select(a => a.Name))}");
                return null;
            },
        };
        option.CompletionSources.Add([.. JwsAlgorithms.All.Select(a => a.Name)]);
        return option;
    }

    /// <summary><c>--output text|json</c>; true for JSON.</summary>
    public static Option<string> Output()
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "text, or json for programs.",
            HelpName = "text|json",
            DefaultValueFactory = _ => "text",
        };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        CustomParser = result =>
        {
            if (TryParseDuration(result.Tokens[0].Value, out var duration))
            {
                return duration;
            }

            result.AddError($"{name}: `{result.Tokens[0].Value}` is no duration such as 90s, 30m, 1h30m, 7d or -5m");
            return null;
        },
    };

    /// <summary>Whole days, hours, minutes and seconds, the whole with an optional sign.</summary>
    public static bool TryParseDuration(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        var negative = text is ['-', ..];
        var rest = text is ['-' or '+', ..] ? text[1..] : text;
        if (rest.IsEmpty)
        {
            return false;
        }

        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 10 || !long.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return false;
            }

            var unit = rest[digits] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
            var seconds = duration.TotalSeconds + ((double)number * unit);
            if (unit == 0 || seconds > 1e11)
            {
                return false;
            }

            duration = TimeSpan.FromSeconds(seconds);
            rest = rest[(digits + 1)..];
        }

        duration = negative ? -duration : duration;
        return true;
    }

    /// <summary>Runs a command: input that cannot be used is told on standard error and ends with 2.</summary>
    public static void SetRun(Command command, string name, Func<ParseResult, int> run) => command.SetAction(result =>
    {
        try
        {
            return run(result);
        }
        catch (InputException e)
        {
            result.InvocationConfiguration.Error.WriteLine($"{name}: {e.Message}");
            return ExitCode.Usage;
        }
    });

    /// <inheritdoc cref="SetRun"/>
    public static void SetRunAsync(Command command, string name, Func<ParseResult, CancellationToken, Task<int>> run) => command.SetAction(async (result, cancellationToken) =>
    {
        try
        {
            return await run(result, cancellationToken);
        }
        catch (InputException e)
        {
            await result.InvocationConfiguration.Error.WriteLineAsync($"{name}: {e.Message}");
            return ExitCode.Usage;
        }
    });
}
