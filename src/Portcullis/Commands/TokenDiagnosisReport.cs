using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Jose;
using Portcullis.Policy.Diagnosis;

namespace Portcullis.Commands;

/// <summary>A diagnosis for people and for programs. Neither holds the signature or the token.</summary>
internal sealed class TokenDiagnosisReport(TokenDiagnosis diagnosis, string request)
{
    private static readonly JsonSerializerOptions Indented = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true };

    public string ToText()
    {
        var text = new StringBuilder();
        WriteToken(text);
        foreach (var rule in diagnosis.Rules)
        {
            WriteRule(text, rule);
        }

        if (diagnosis.Rules.IsEmpty && diagnosis.Status != JwtStatus.Missing)
        {
            text.AppendLine("no JWT rule reaches this gateway: tokens are not looked at");
        }

        foreach (var policy in diagnosis.NotAttached)
        {
            text.AppendLine(policy);
        }

        var answer = diagnosis.Answer;
        text.Append(CultureInfo.InvariantCulture, $"{request}: ");
        text.AppendLine(!answer.IsKnown ? "the answer is not known" : answer.Passes ? "passes" : $"{answer.StatusCode} `{answer.Body}`");
        Write(text, answer.Finding);
        return text.ToString().ReplaceLineEndings("\n");
    }

    public string ToJson() => new JsonObject
    {
        ["accepted"] = diagnosis.IsAccepted,
        ["status"] = diagnosis.Status.ToString(),
        ["reason"] = diagnosis.Status == JwtStatus.Ok ? null : diagnosis.Status.Message,
        ["finding"] = ToJson(diagnosis.Finding),
        ["token"] = diagnosis.Token is { } jwt ? ToJson(jwt) : null,
        ["rules"] = new JsonArray([.. diagnosis.Rules.Select(ToJson)]),
        ["notAttached"] = new JsonArray([.. diagnosis.NotAttached.Select(n => JsonValue.Create(n))]),
        ["answer"] = new JsonObject
        {
            ["request"] = request,
            ["known"] = diagnosis.Answer.IsKnown,
            ["passes"] = diagnosis.Answer.IsKnown ? diagnosis.Answer.Passes : null,
            ["status"] = diagnosis.Answer.StatusCode,
            ["body"] = diagnosis.Answer.Body,
            ["finding"] = ToJson(diagnosis.Answer.Finding),
        },
    }.ToJsonString(Indented) + "\n";

    private void WriteToken(StringBuilder text)
    {
        if (diagnosis.Token is { } jwt)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"token: {jwt.Algorithm.Name}, kid {Show(jwt.KeyId)}, iss {Show(jwt.Issuer)}, sub {Show(jwt.Subject)}, exp {(jwt.ExpiresAt is { } exp ? JwtExplanation.TimeOf(exp)?.ToString("u", CultureInfo.InvariantCulture) ?? "past the year 9999" : "absent")}");
        }
        else if (diagnosis.Finding is { } finding)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"token: {diagnosis.Status.Message}");
            Write(text, finding);
        }
        else
        {
            text.AppendLine("token: none");
        }
    }

    private static void WriteRule(StringBuilder text, RuleVerdict rule)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"{rule.Source}: {rule.Rule}, {(rule.Issuer is null ? "any issuer" : $"issuer `{rule.Issuer}`")}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  {(rule.FoundIn is null ? "not found" : $"found in {rule.FoundIn}")}");
        var verdict = rule switch
        {
            { Accepts: true } => $"accepted, principal {Show(rule.Principal)}",
            { KeysUnknown: true } => "not decided",
            { Status: JwtStatus.Ok } => "good, but not where this rule looks",
            _ => $"refused: {rule.Status.Message}",
        };
        text.AppendLine(CultureInfo.InvariantCulture, $"  {verdict}");
        foreach (var finding in rule.Findings)
        {
            Write(text, finding);
        }
    }

    private static void Write(StringBuilder text, TokenFinding finding)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"    {finding.Detail}");
        if (finding.Remedy is { } remedy)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"    remedy: {remedy}");
        }
    }

    private static string Show(string? value) => TokenFinding.Quote(value);

    private static JsonObject? ToJson(TokenFinding? finding) => finding is null ? null : new() { ["detail"] = finding.Detail, ["remedy"] = finding.Remedy };

    private static JsonObject ToJson(JsonWebToken jwt) => new()
    {
        ["alg"] = jwt.Algorithm.Name,
        ["kid"] = jwt.KeyId,
        ["iss"] = jwt.Issuer,
        ["sub"] = jwt.Subject,
        ["aud"] = new JsonArray([.. jwt.Audiences.Select(a => JsonValue.Create(a))]),
        ["exp"] = jwt.ExpiresAt,
        ["nbf"] = jwt.NotBefore,
        ["iat"] = jwt.IssuedAt,
    };

    private static JsonObject ToJson(RuleVerdict rule) => new()
    {
        ["rule"] = rule.Rule.ToString(),
        ["source"] = rule.Source,
        ["issuer"] = rule.Issuer,
        ["reads"] = new JsonArray([.. rule.Reads.Select(r => JsonValue.Create(r))]),
        ["foundIn"] = rule.FoundIn,
        ["accepted"] = rule.Accepts,
        ["status"] = rule.KeysUnknown ? null : rule.Status.ToString(),
        ["reason"] = rule.Status == JwtStatus.Ok ? null : rule.Status.Message,
        ["keysKnown"] = !rule.KeysUnknown,
        ["principal"] = rule.Principal,
        ["findings"] = new JsonArray([.. rule.Findings.Select(f => (JsonNode?)ToJson(f))]),
    };
}
