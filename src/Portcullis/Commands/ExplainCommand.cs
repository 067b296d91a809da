using System.CommandLine;
using System.Net;
using System.Text.Json;
using Portcullis.Explaining;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.Explanation;
using Portcullis.Policy.Explanation;

namespace Portcullis.Commands;

/// <summary><c>portcullis explain</c>: why a request passes or not.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var gateway = new GatewayArguments();
        gateway.Paths.Required = false;
        var request = new Option<string?>("--request", "-r") { Description = "Method and URL; the method is GET when it is left out.", HelpName = "'METHOD URL'" };
        var headers = new Option<string[]>("--header", "-H") { Description = "A request header; repeatable.", HelpName = "'NAME: VALUE'" };
        var token = new Option<string?>("--token") { Description = "Sent as Authorization: Bearer; - reads it from standard input. Keys behind a jwksUri are fetched.", HelpName = "TOKEN" };
        var claims = new Option<string?>("--as") { Description = "Claims of a token that counts as well signed: no keys and no identity provider are needed.", HelpName = "JSON" };
        var sourceIp = Address("--source-ip", "Address of the TCP peer. Default: 127.0.0.1.");
        var remoteIp = Address("--remote-ip", "Address of the client. Default: what X-Forwarded-For and the trusted proxies give.");
        var id = new Option<string?>("--id")
        {
            Description = "A decision that a running gateway made: the x-portcullis-decision-id of its answer, or the access log's %DECISION_ID%.",
            HelpName = "ID",
        };
        var admin = DecisionsCommand.Admin();
        var output = JoseOptions.Output();
        var command = new Command("explain", """
            Tell why a request passes or not: every policy, rule and condition with what it saw and what it wanted, what nearly matched, and the smallest
            change that would turn the decision. Nothing is sent: where a CUSTOM policy would ask an external authorizer, it says whom, and goes on as if the
            answer were yes. With --id a running gateway is asked about a request that it answered. Ends with 0 if the request passes, with 1 if it is
            refused.

            Examples:
              portcullis explain -f config/ --request 'GET http://www.example.com/api'
              portcullis explain -f config/ -r 'GET http://www.example.com/api' --token "$TOKEN"
              portcullis explain -f config/ -r 'POST http://www.example.com/api' --as '{"iss":"https://idp.example.com","sub":"ada","groups":["dev"]}'
              portcullis explain -f config/ -r 'GET http://www.example.com/' -H 'x-forwarded-for: 203.0.113.7' --output json
              portcullis explain --id 3kq8x0v5w2m7n9ra
            """);
        foreach (var option in new Option[] { request, headers, token, claims, sourceIp, remoteIp, id, admin, output })
        {
            command.Options.Add(option);
        }

        gateway.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                var asJson = result.GetValue(output) == "json";
                if (result.GetValue(id) is { } decision)
                {
                    if (result.GetValue(request) is not null || result.GetValue(gateway.Paths) is { Length: > 0 })
                    {
                        throw new InputException("--id asks a running gateway about a request that it has; leave out --request and -f");
                    }

                    return await ExplainLiveAsync(decision, result.GetRequiredValue(admin), asJson, result.InvocationConfiguration.Output, cancellationToken);
                }

                var description = Describe(
                    result.GetValue(request) ?? throw new InputException("say which request: --request 'GET http://host/path', or --id of a decision that a running gateway made"),
                    result.GetValue(headers) ?? [],
                    result.GetValue(token) is { } text ? InputText.ReadToken(text) : null,
                    result.GetValue(claims)) with
                {
                    SourceIp = result.GetValue(sourceIp) ?? IPAddress.Loopback,
                    RemoteIp = result.GetValue(remoteIp),
                };
                var explainer = await GatewayLoading.LoadAsync(gateway, result, fetchesKeys: description.Claims is null && MayCarryToken(description), cancellationToken);
                var explained = explainer.Explain(description, TimeProvider.System.GetUtcNow());
                Print(explained, asJson, result.InvocationConfiguration.Output);
                return explained.Decision.IsAllowed ? ExitCode.Good : ExitCode.No;
            }
            catch (InputException e)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync($"explain: {e.Message}");
                return ExitCode.Usage;
            }
        });
        return command;
    }

    internal static void Print(ExplainedRequest explained, bool asJson, TextWriter writer)
    {
        if (asJson)
        {
            writer.WriteLine(ExplanationJson.Serialize(explained));
        }
        else
        {
            new ExplanationText(TextConsole.For(writer)).Write(explained);
        }
    }

    /// <summary>A request or token may hold control characters, which a terminal would obey.</summary>
    internal static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;

    private static async Task<int> ExplainLiveAsync(string id, string admin, bool asJson, TextWriter writer, CancellationToken cancellationToken)
    {
        using var client = new AdminClient(admin);
        var live = await client.GetAsync<LiveExplanation>($"/decisions/{Uri.EscapeDataString(id.Trim())}", cancellationToken);
        if (asJson)
        {
            await writer.WriteLineAsync(ExplanationJson.Serialize(live));
        }
        else
        {
            new ExplanationText(TextConsole.For(writer)).Write(live);
        }

        return live.Recorded.Outcome == ExplainedOutcome.Allowed ? ExitCode.Good : ExitCode.No;
    }

    private static RequestDescription Describe(string request, string[] headers, string? token, string? claims)
    {
        var parts = request.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length is not (1 or 2))
        {
            throw new InputException($"--request: `{request}` is not a method and a URL; write 'GET http://host/path'");
        }

        if (!RequestDescription.TryParse(parts.Length == 2 ? parts[0] : "GET", parts[^1], out var description, out var error))
        {
            throw new InputException($"--request: {error}");
        }

        if (token is not null && claims is not null)
        {
            throw new InputException("--token and --as are two identities; give one of them");
        }

        var lines = headers.Select(Header).ToList();
        if (token is not null)
        {
            lines.Add(new("authorization", $"Bearer {token}"));
        }

        return description with { Headers = [.. lines], Claims = claims is null ? null : Claims(claims) };
    }

    private static KeyValuePair<string, string> Header(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            ? new(line[..colon].Trim(), line[(colon + 1)..].Trim())
            : throw new InputException($"--header: `{(line.Length > 40 ? line[..40] + "…" : line)}` is not `name: value`");
    }

    private static JsonElement Claims(string json)
    {
        try
        {
            var claims = JsonElement.Parse(json);
            return claims.ValueKind == JsonValueKind.Object ? claims : throw new InputException("--as: the claims are a JSON object, as '{\"iss\":\"…\",\"sub\":\"…\"}'");
        }
        catch (JsonException e)
        {
            throw new InputException($"--as: not valid JSON: {e.Message}");
        }
    }

    private static bool MayCarryToken(RequestDescription description) => !description.Headers.IsEmpty || description.Target.Contains('?', StringComparison.Ordinal);

    private static Option<IPAddress?> Address(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "IP",
        CustomParser = result =>
        {
            if (IPAddress.TryParse(result.Tokens[0].Value, out var address))
            {
                return address;
            }

            result.AddError($"{name}: `{result.Tokens[0].Value}` is not an IP address");
            return null;
        },
    };
}
