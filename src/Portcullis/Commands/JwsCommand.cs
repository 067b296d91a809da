using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary><c>portcullis jws verify</c>: signatures over any payload, one or a file full of them.</summary>
internal static class JwsCommand
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create() => new("jws", "Verify JSON Web Signatures whose payload need not be claims.") { CreateVerify() };

    private static Command CreateVerify()
    {
        var token = new Argument<string?>("jws") { Description = "Compact JWS; - or nothing reads standard input.", Arity = ArgumentArity.ZeroOrOne };
        var keySet = new Option<string?>("--jwks") { Description = "File with the key set, or with one public JWK.", HelpName = "FILE" };
        var batch = new Option<string?>("--batch")
        {
            Description = "File of one JSON object a line: id, jwks (an object, or a string of JSON; --jwks if absent) and jws. - reads standard input.",
            HelpName = "FILE",
        };
        var command = new Command("verify", """
            Verify a compact JWS; prints {"valid":true|false,"reason":"…"} and ends with 0 or 1.
            With --batch a line {"id":…,"valid":…,"reason":"…"} for each line of the file, and ends with 0 when all were answered.

            Examples:
              portcullis jws verify --jwks jwks.json "$JWS"
              portcullis jws verify --batch cases.jsonl
            """)
        {
            token, keySet, batch,
        };
        JoseOptions.SetRun(command, "jws verify", result =>
        {
            var output = result.InvocationConfiguration.Output;
            var path = result.GetValue(keySet);
            var keys = path is null ? null : InputText.ReadKeySet(path);
            if (result.GetValue(batch) is { } file)
            {
                if (result.GetValue(token) is not null)
                {
                    throw new InputException("--batch: takes no JWS as argument as well");
                }

                VerifyBatch(file, keys, output);
                return ExitCode.Good;
            }

            if (keys is null)
            {
                throw new InputException("--jwks: needs a file with the keys to verify with (or use --batch)");
            }

            var text = result.GetValue(token) is { } given && given != "-" ? given : InputText.ReadFile("-");
            var (isValid, reason) = CompactJws.Verify(text.Trim(), keys);
            output.WriteLine(new JsonObject { ["valid"] = isValid, ["reason"] = reason }.ToJsonString(OneLine));
            return isValid ? ExitCode.Good : ExitCode.No;
        });
        return command;
    }

    private static void VerifyBatch(string path, JsonWebKeySet? defaultKeys, TextWriter output)
    {
        try
        {
            using var reader = path == "-" ? Console.In : new StreamReader(path);
            var cache = new KeySetCache(defaultKeys);
            while (reader.ReadLine() is { } line)
            {
                if (!string.IsNullOrWhiteSpace(line))
                {
                    output.WriteLine(VerifyLine(line, cache));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot read `{path}`: {e.Message}");
        }
    }

    private static string VerifyLine(string line, KeySetCache cache)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return Answer(null, new(false, "the line is no JSON object"));
            }

            var id = json.RootElement.TryGetProperty("id", out var idMember) ? JsonNode.Parse(idMember.GetRawText()) : null;
            if (!json.RootElement.TryGetProperty("jws", out var jws) || jws.ValueKind != JsonValueKind.String)
            {
                return Answer(id, new(false, "[jws] is missing or not a string"));
            }

            json.RootElement.TryGetProperty("jwks", out var jwks);
            return cache.Find(jwks) is { } keys
                ? Answer(id, CompactJws.Verify(jws.GetString()!, keys))
                : Answer(id, new(false, "[jwks] is missing or neither an object nor a string"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with half of a surrogate pair in it, perhaps the id itself.
            return Answer(id: null, new(false, "the line is not valid JSON"));
        }
    }

    private static string Answer(JsonNode? id, JwsVerification verification) =>
        new JsonObject { ["id"] = id, ["valid"] = verification.IsValid, ["reason"] = verification.Reason }.ToJsonString(OneLine);

    /// <summary>The set of the line before, since such files often bring the same one on each.</summary>
    private sealed class KeySetCache(JsonWebKeySet? defaultKeys)
    {
        private string? _text;
        private JsonWebKeySet? _keys;

        public JsonWebKeySet? Find(JsonElement jwks)
        {
            var text = jwks.ValueKind switch
            {
                JsonValueKind.Object => jwks.GetRawText(),
                JsonValueKind.String => jwks.GetString(),
                _ => null,
            };
            if (text is null)
            {
                return jwks.ValueKind == JsonValueKind.Undefined ? defaultKeys : null;
            }

            if (text != _text)
            {
                _text = text;
                _keys = JsonWebKeySet.Parse(text);
            }

            return _keys;
        }
    }
}
