using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwt verify</c>, in the order in which the gateway checks: against a key set in a file, or against a configuration.</summary>
internal static class JwtVerifyCommand
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var token = new Argument<string?>("token") { Description = "The token; - or nothing reads standard input.", Arity = ArgumentArity.ZeroOrOne };
        var keySet = new Option<string?>("--jwks") { Description = "File with the key set, or with one public JWK.", HelpName = "FILE" };
        var issuer = new Option<string?>("--issuer") { Description = "With --jwks: issuer that `iss` must be equal to; without it any issuer will do." };
        var audiences = new Option<string[]>("--audience") { Description = "With --jwks: audience of which `aud` must have one; without it any will do. Repeatable." };
        var skew = JoseOptions.Duration("--clock-skew", "With --jwks: how far exp and nbf may be off; 60s by default, as in the gateway.");
        var at = At();
        var output = JoseOptions.Output();
        var configured = new ConfiguredVerification();
        var command = new Command("verify", """
            Check a token as the gateway does. With --jwks, against one key set: form, issuer, time, audience, key and signature. With -f, against a whole
            configuration: where each JWT rule finds the token, which check fails by how much, what helps, and what the gateway would answer.
            Ends with 0 if the token passes (with -f: some rule accepts it) and with 1 if not.

            Examples:
              portcullis jwt verify --jwks jwks.json "$TOKEN"
              portcullis jwt verify --jwks jwks.json --issuer testing@asm.test.io --audience api.example.com --output json - < token.txt
              portcullis jwt verify -f samples/guide/config "$TOKEN"
              portcullis jwt verify -f gateway/ --online --in cookie:session --url https://shop.example/cart "$TOKEN"
              portcullis jwt verify -f gateway/ --without-token
            """)
        {
            token, keySet, issuer, audiences, skew, at, output,
        };
        configured.AddTo(command);
        command.Validators.Add(result =>
        {
            var files = result.GetResult(configured.Arguments.Paths) is { Implicit: false };
            if (files == (result.GetResult(keySet) is not null))
            {
                result.AddError("give either --jwks FILE, a key set, or -f PATH, a configuration");
            }
            else if (files && (result.GetResult(issuer) ?? result.GetResult(audiences) ?? result.GetResult(skew)) is { } misplaced)
            {
                result.AddError($"{misplaced.IdentifierToken?.Value} goes with --jwks: with -f the rules say it");
            }
        });
        JoseOptions.SetRunAsync(command, "jwt verify", (result, cancellationToken) =>
        {
            var now = result.GetValue(at) ?? TimeProvider.System.GetUtcNow();
            var asJson = result.GetValue(output) == "json";
            return result.GetValue(keySet) is { } path
                ? Task.FromResult(VerifyWithKeySet(result, path, result.GetValue(token), result.GetValue(issuer), result.GetValue(audiences) ?? [], result.GetValue(skew), now, asJson))
                : configured.RunAsync(result, result.GetValue(token), now, asJson, cancellationToken);
        });
        return command;
    }

    private static Option<DateTimeOffset?> At() => new("--at")
    {
        Description = "Check as of this time (RFC 3339) instead of now.",
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (DateTimeOffset.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            {
                return time;
            }

            result.AddError($"--at: `{result.Tokens[0].Value}` is no time such as 2024-05-01T12:00:00Z");
            return null;
        },
    };

    private static int VerifyWithKeySet(
        ParseResult result, string path, string? token, string? issuer, string[] audiences, TimeSpan? skew, DateTimeOffset now, bool asJson)
    {
        var text = InputText.ReadToken(token);
        var keys = InputText.ReadKeySet(path);
        var clockSkew = skew ?? TimeSpan.FromSeconds(60);
        if (clockSkew < TimeSpan.Zero)
        {
            throw new InputException("--clock-skew: cannot be negative");
        }

        var status = JsonWebToken.TryParse(text, out var jwt);
        if (jwt is not null)
        {
            status = Check(jwt, keys, issuer, new AudienceSet(audiences), now, clockSkew);
        }

        var detail = jwt is null ? null : JwtExplanation.Explain(status, jwt, keys, issuer, audiences, now);
        var writer = result.InvocationConfiguration.Output;
        if (asJson)
        {
            writer.WriteLine(ToJson(status, detail, jwt).ToJsonString(OneLine));
        }
        else
        {
            writer.WriteLine(status == JwtStatus.Ok ? "valid" : $"invalid: {status.Message}");
            if (detail is not null)
            {
                writer.WriteLine(detail);
            }
        }

        return status == JwtStatus.Ok ? ExitCode.Good : ExitCode.No;
    }

    private static JwtStatus Check(JsonWebToken jwt, JsonWebKeySet keys, string? issuer, AudienceSet audiences, DateTimeOffset now, TimeSpan skew)
    {
        if (issuer is not null && (jwt.Issuer ?? "") != issuer)
        {
            return JwtStatus.UnknownIssuer;
        }

        var status = jwt.CheckLifetime(now, skew);
        if (status != JwtStatus.Ok)
        {
            return status;
        }

        return audiences.Accepts(jwt.Audiences) ? jwt.VerifySignature(keys) : JwtStatus.AudienceNotAllowed;
    }

    private static JsonObject ToJson(JwtStatus status, string? detail, JsonWebToken? jwt)
    {
        var json = new JsonObject { ["valid"] = status == JwtStatus.Ok, ["status"] = status.ToString(), ["reason"] = status.Message };
        if (status != JwtStatus.Ok)
        {
            json["httpStatus"] = status.HttpStatusCode;
        }

        if (detail is not null)
        {
            json["detail"] = detail;
        }

        if (status == JwtStatus.Ok)
        {
            json["claims"] = JsonObject.Create(jwt!.Payload);
        }

        return json;
    }
}
