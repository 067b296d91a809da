using System.CommandLine;
using System.Globalization;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.Explanation;
using Portcullis.Policy.Explanation;

namespace Portcullis.Commands;

/// <summary><c>portcullis decisions</c>: what a running gateway decided lately, and decides now.</summary>
internal static class DecisionsCommand
{
    private const int MaxLimit = 1000;

    public static Command Create()
    {
        var follow = new Option<bool>("--follow") { Description = "Go on with each decision as it is made, until Ctrl+C." };
        var outcome = new Option<string?>("--outcome") { Description = "Only these.", HelpName = "denied|allowed" };
        outcome.AcceptOnlyFromAmong("denied", "allowed");
        var policy = new Option<string?>("--policy") { Description = "Only those of the rules whose id holds this text.", HelpName = "TEXT" };
        var limit = new Option<int>("--limit") { Description = $"How many of the recent ones, 1 to {MaxLimit}.", HelpName = "N", DefaultValueFactory = _ => 20 };
        var admin = Admin();
        var output = JoseOptions.Output();
        var command = new Command("decisions", """
            List the recent decisions of a running gateway, oldest first; `portcullis explain --id ID` explains one.

            Examples:
              portcullis decisions --outcome denied
              portcullis decisions --follow
              portcullis decisions --follow --output json | jq .reason
            """);
        foreach (var option in new Option[] { follow, outcome, policy, limit, admin, output })
        {
            command.Options.Add(option);
        }

        JoseOptions.SetRunAsync(command, "decisions", async (result, cancellationToken) =>
        {
            var count = result.GetValue(limit);
            if (count is < 1 or > MaxLimit)
            {
                throw new InputException($"--limit: {count} is not between 1 and {MaxLimit}");
            }

            using var client = new AdminClient(result.GetRequiredValue(admin));
            var filter = $"{Parameter("outcome", result.GetValue(outcome))}{Parameter("policy", result.GetValue(policy))}";
            var writer = result.InvocationConfiguration.Output;
            var asJson = result.GetValue(output) == "json";
            var recent = string.Create(CultureInfo.InvariantCulture, $"/decisions?limit={count}{filter}");
            await (result.GetValue(follow)
                ? FollowAsync(client, recent, filter, asJson, writer, result.InvocationConfiguration.Error, cancellationToken)
                : ListAsync(client, recent, asJson, writer, cancellationToken));
            return ExitCode.Good;
        });
        return command;
    }

    /// <summary><c>--admin</c> of the commands that ask a running gateway.</summary>
    internal static Option<string> Admin() => new("--admin")
    {
        Description = "Where the gateway's admin API is.",
        HelpName = "URL",
        DefaultValueFactory = _ => AdminClient.DefaultAddress,
    };

    /// <returns>Place of the last one in the gateway's order.</returns>
    private static async Task<long> ListAsync(AdminClient client, string recent, bool asJson, TextWriter output, CancellationToken cancellationToken)
    {
        var page = await client.GetAsync<DecisionPage>(recent, cancellationToken);
        foreach (var decision in page.Decisions.Reverse())
        {
            await output.WriteLineAsync(asJson ? ExplanationJson.SerializeLine(decision) : Line(decision));
        }

        await output.FlushAsync(cancellationToken);
        return page.Decisions.IsEmpty ? 0 : page.Decisions[0].Sequence;
    }

    /// <summary>The recent ones are read when the stream is open: none is missed between the two, and none is told twice.</summary>
    private static async Task FollowAsync(
        AdminClient client, string recent, string filter, bool asJson, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var last = long.MaxValue;
        try
        {
            await foreach (var (name, data) in client.ListenAsync($"/decisions/stream?{filter.TrimStart('&')}", cancellationToken))
            {
                if (name == AdminClient.Opened)
                {
                    last = await ListAsync(client, recent, asJson, output, cancellationToken);
                }
                else if (name == "decision")
                {
                    var decision = ExplanationJson.Deserialize<DecisionSummary>(data);
                    if (decision.Sequence > last)
                    {
                        await output.WriteLineAsync(asJson ? data : Line(decision));
                        await output.FlushAsync(cancellationToken);
                    }
                }
                else
                {
                    await error.WriteLineAsync($"decisions: some were lost, the gateway is faster than this terminal: {data}");
                }
            }

            await error.WriteLineAsync("decisions: the gateway has ended");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl+C.
        }
    }

    private static string Line(DecisionSummary d) => ExplainCommand.Printable(string.Create(
        CultureInfo.InvariantCulture,
        $"{d.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}  {d.Id}  {(d.Outcome == ExplainedOutcome.Allowed ? "allowed" : "refused")}  {d.Status}  {d.Method} {d.Authority}{d.Target}  {d.Principal ?? "anonymous"}  {d.RemoteIp}  {d.Reason}"));

    private static string Parameter(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
