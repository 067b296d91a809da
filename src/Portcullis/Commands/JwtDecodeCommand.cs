using System.Buffers.Text;
using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwt decode</c>: shows a token as far as it can be read, and what would be refused about it.</summary>
internal static class JwtDecodeCommand
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var token = new Argument<string?>("token") { Description = "The token; - or nothing reads standard input.", Arity = ArgumentArity.ZeroOrOne };
        var output = JoseOptions.Output();
        var command = new Command("decode", """
            Show header and claims of a token. Nothing is verified: anybody can write such a token.

            Examples:
              portcullis jwt decode "$TOKEN"
              portcullis jwt sign --key private.jwk --claim iss=me | portcullis jwt decode --output json
            """)
        {
            token, output,
        };
        JoseOptions.SetRun(command, "jwt decode", result =>
        {
            var text = InputText.ReadToken(result.GetValue(token));
            var status = JsonWebToken.TryParse(text, out var jwt);
            var parts = text.Split('.');
            var header = Read(parts, 0);
            var payload = Read(parts, 1);
            var writer = result.InvocationConfiguration.Output;
            var error = result.InvocationConfiguration.Error;
            if (result.GetValue(output) == "json")
            {
                var json = new JsonObject { ["header"] = header, ["payload"] = payload, ["status"] = status.Message };
                writer.WriteLine(json.ToJsonString(OneLine));
            }
            else
            {
                writer.WriteLine(header?.ToJsonString(Indented) ?? "(unreadable header)");
                writer.WriteLine(payload?.ToJsonString(Indented) ?? "(unreadable payload)");
                WriteTimes(error, jwt);
            }

            if (status != JwtStatus.Ok)
            {
                error.WriteLine($"jwt decode: {status.Message}");
                return ExitCode.No;
            }

            error.WriteLine("jwt decode: not verified; `portcullis jwt verify` does that");
            return ExitCode.Good;
        });
        return command;
    }

    private static JsonNode? Read(string[] parts, int index)
    {
        try
        {
            return index < parts.Length ? JsonNode.Parse(Base64Url.DecodeFromChars(parts[index])) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private static void WriteTimes(TextWriter writer, JsonWebToken? jwt)
    {
        if (jwt is null)
        {
            return;
        }

        foreach (var (name, time) in (ReadOnlySpan<(string, ulong?)>)[("iat", jwt.IssuedAt), ("nbf", jwt.NotBefore), ("exp", jwt.ExpiresAt)])
        {
            if (time is { } seconds && JwtExplanation.TimeOf(seconds) is { } moment)
            {
                writer.WriteLine($"{name} is {moment.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)}");
            }
        }
    }
}
