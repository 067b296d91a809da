using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Jose;

namespace Portcullis.Commands;

/// <summary><c>portcullis jwt sign</c>.</summary>
internal static class JwtSignCommand
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>More than a load test wants, and fewer than fill a disk by a slip.</summary>
    private const int MaxCount = 1_000_000;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static Command Create()
    {
        var keyFile = new Option<string>("--key") { Description = "File with the private key, JWK or PEM; - reads standard input.", Required = true };
        var algorithm = JoseOptions.Algorithm("Algorithm; by default that of the key (RS256 for an RSA key in PEM).");
        var keyId = new Option<string?>("--kid", "-k") { Description = "Key id for the header; by default the key's own, or its thumbprint. Empty leaves it out." };
        var type = new Option<string>("--typ") { Description = "Type for the header; empty leaves it out.", DefaultValueFactory = _ => "JWT" };
        var claims = new Option<string[]>("--claim", "-c")
        {
            Description = "A claim: name=text, or name:=JSON for lists, numbers and objects. exp, nbf and iat take numbers. Repeatable.",
            HelpName = "NAME=VALUE",
        };
        var payload = new Option<string?>("--payload") { Description = "All claims as one JSON object, or @FILE to read it from. --claim adds to it.", HelpName = "JSON|@FILE" };
        var expiresIn = JoseOptions.Duration("--expires-in", "Set exp to this long from now; negative for an expired token. Without it the token never expires.");
        var notBefore = JoseOptions.Duration("--not-before", "Set nbf to this long from now.");
        var issuedAt = new Option<bool>("--issued-at") { Description = "Set iat to now." };
        var count = new Option<int>("--count")
        {
            Description = $"Print this many tokens, a line each, that differ in a `jti` of their own: 1 to {MaxCount}.",
            DefaultValueFactory = _ => 1,
        };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MaxCount)
            {
                result.AddError($"--count: takes 1 to {MaxCount}");
            }
        });
        var command = new Command("sign", """
            Print a signed token.

            Examples:
              portcullis jwt sign --key rsa-private-key.pem --kid KID --claim iss=testing@asm.test.io
              portcullis jwt sign --key private.jwk --claim iss=testing@asm.test.io --claim sub=demo@asm.test.io --expires-in 1h
              portcullis jwt sign --key private.jwk --payload @claims.json --claim 'groups:=["dev","ops"]'
              portcullis jwt sign --key private.jwk --claim iss=testing@asm.test.io --count 2000 > tokens.txt
            """)
        {
            keyFile, algorithm, keyId, type, claims, payload, expiresIn, notBefore, issuedAt, count,
        };
        JoseOptions.SetRun(command, "jwt sign", result =>
        {
            var path = result.GetValue(keyFile)!;
            var key = InputText.ReadKey(path);
            if (!key.HasPrivateKey)
            {
                throw new InputException($"`{path}` is a public key: signing needs the private one");
            }

            var alg = result.GetValue(algorithm) ?? key.DefaultAlgorithm;
            if (!key.Supports(alg) || (key.Algorithm is not null && key.Algorithm != alg.Name))
            {
                throw new InputException($"--alg: {alg.Name} does not go with this key; {key.DefaultAlgorithm.Name} does");
            }

            // As `jwk from-pem` names it, so that the token finds the key without anyone saying its id.
            var kid = result.GetValue(keyId) ?? key.KeyId ?? (key.KeyType == JwkKeyType.Oct ? "" : key.Thumbprint());
            var body = ReadPayload(result.GetValue(payload));
            foreach (var claim in result.GetValue(claims) ?? [])
            {
                AddClaim(body, claim);
            }

            var now = TimeProvider.System.GetUtcNow();
            SetTime(body, "iat", result.GetValue(issuedAt) ? now : null);
            SetTime(body, "nbf", now + result.GetValue(notBefore));
            SetTime(body, "exp", now + result.GetValue(expiresIn));
            var header = result.GetValue(type);
            var tokens = result.GetValue(count);
            for (var i = 0; i < tokens; i++)
            {
                if (tokens > 1)
                {
                    body["jti"] = Guid.NewGuid().ToString();
                }

                result.InvocationConfiguration.Output.WriteLine(
                    JwtSigner.Sign(body.ToJsonString(Relaxed), key, alg, kid, string.IsNullOrEmpty(header) ? null : header));
            }

            return ExitCode.Good;
        });
        return command;
    }

    private static JsonObject ReadPayload(string? payload)
    {
        if (payload is null)
        {
            return [];
        }

        var text = payload is ['@', .. var path] ? InputText.ReadFile(path) : payload;
        return Parse(text, "--payload") as JsonObject ?? throw new InputException("--payload: is no JSON object, such as {\"iss\":\"me\"}");
    }

    private static JsonNode? Parse(string text, string option)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: Strict);
        }
        catch (JsonException e)
        {
            throw new InputException($"{option}: not valid JSON: {e.Message}");
        }
    }

    private static void AddClaim(JsonObject body, string claim)
    {
        var at = claim.IndexOf('=', StringComparison.Ordinal);
        var isJson = at > 0 && claim[at - 1] == ':';
        var name = at < 0 ? "" : claim[..(isJson ? at - 1 : at)];
        if (name.Length == 0)
        {
            throw new InputException($"--claim: `{claim}` is neither name=text nor name:=JSON");
        }

        var text = claim[(at + 1)..];
        body[name] = isJson
            ? Parse(text, $"--claim {name}")
            : name is "exp" or "nbf" or "iat" && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                ? seconds
                : text;
    }

    private static void SetTime(JsonObject body, string name, DateTimeOffset? time)
    {
        if (time is { } t)
        {
            body[name] = t.ToUnixTimeSeconds();
        }
    }
}
