using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwt verify</c> against a key set in a file, in the order in which the gateway checks.</summary>
internal static class JwtVerifyCommand
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var token = new Argument<string?>("token") { Description = "The token; - or nothing reads standard input.", Arity = ArgumentArity.ZeroOrOne };
        var keySet = new Option<string>("--jwks") { Description = "File with the key set, or with one public JWK.", HelpName = "FILE", Required = true };
        var issuer = new Option<string?>("--issuer") { Description = "Issuer that `iss` must be equal to; without it any issuer will do." };
        var audiences = new Option<string[]>("--audience") { Description = "Audience of which `aud` must have one; without it any will do. Repeatable." };
        var skew = JoseOptions.Duration("--clock-skew", "How far exp and nbf may be off; 60s by default, as in the gateway.");
        var at = new Option<DateTimeOffset?>("--at")
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
        var output = JoseOptions.Output();
        var command = new Command("verify", """
            Check a token as the gateway does: form, issuer, time, audience, key and signature. Ends with 0 if it passes and with 1 if not.

            Examples:
              portcullis jwt verify --jwks jwks.json "$TOKEN"
              portcullis jwt verify --jwks jwks.json --issuer testing@asm.test.io --audience api.example.com --output json - < token.txt
            """)
        {
            token, keySet, issuer, audiences, skew, at, output,
        };
        JoseOptions.SetRun(command, "jwt verify", result =>
        {
            var text = InputText.ReadToken(result.GetValue(token));
            var keys = InputText.ReadKeySet(result.GetValue(keySet)!);
            var wantedIssuer = result.GetValue(issuer);
            var wantedAudiences = result.GetValue(audiences) ?? [];
            var now = result.GetValue(at) ?? TimeProvider.System.GetUtcNow();
            var clockSkew = result.GetValue(skew) ?? TimeSpan.FromSeconds(60);
            if (clockSkew < TimeSpan.Zero)
            {
                throw new InputException("--clock-skew: cannot be negative");
            }

            var status = JsonWebToken.TryParse(text, out var jwt);
            if (jwt is not null)
            {
                status = Check(jwt, keys, wantedIssuer, new AudienceSet(wantedAudiences), now, clockSkew);
            }

            var detail = jwt is null ? null : JwtExplanation.Explain(status, jwt, keys, wantedIssuer, wantedAudiences, now);
            var writer = result.InvocationConfiguration.Output;
            if (result.GetValue(output) == "json")
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
        });
        return command;
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
