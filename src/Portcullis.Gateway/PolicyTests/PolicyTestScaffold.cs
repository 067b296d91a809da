using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>
/// Writes a first file of tests: for each rule a request that should match it, and one that should not. What is expected is what the policies say now, so that
/// the file holds as it is written; its author reads whether that is what was meant.
/// </summary>
/// <param name="judge">Says what becomes of a request.</param>
/// <param name="describe">Makes the request of a test.</param>
/// <param name="host">Host of requests whose rule asks for none.</param>
internal sealed class PolicyTestScaffold(RequestJudge judge, Func<PolicyTest, DateTimeOffset, Gateway.Explanation.RequestDescription> describe, string host)
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _written = [];

    /// <summary>The file.</summary>
    public string Write(IEnumerable<AuthorizationPolicy> policies, ImmutableArray<RequestAuthentication> authentications, DateTimeOffset now)
    {
        ImmutableArray<JwtRule> issuers = [.. authentications.SelectMany(a => a.JwtRules)];
        _text.Append("# What the policies say now, a request for each rule and one beside it. Read each: is that what is meant? Then add the requests that matter to you.\n");
        _text.Append(CultureInfo.InvariantCulture, $"defaults:\n  request: {{ host: {Scalar(host)} }}\ntests:\n");
        Add("without a token", new ScaffoldRequest { Host = host }, now);
        foreach (var policy in policies.OrderBy(p => p.Action switch { PolicyAction.Custom => 0, PolicyAction.Audit => 1, PolicyAction.Deny => 2, _ => 3 }))
        {
            for (var i = 0; i < policy.Rules.Length; i++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{policy.Action.ToString().ToUpperInvariant()} {policy.Metadata.Namespace}/{policy.Metadata.Name} rule {i}");
                var request = ScaffoldRequest.For(policy.Rules[i], host, issuers);
                Add(name, request, now);
                Add($"beside {name}", Beside(request, policy.Rules[i]), now);
            }
        }

        foreach (var rule in issuers.Where(r => !string.IsNullOrEmpty(r.Issuer)))
        {
            Add($"a token of {rule.Issuer}", new ScaffoldRequest { Host = host, Claims = ScaffoldRequest.ClaimsOf(rule.Issuer!, "somebody", issuers) }, now);
        }

        return _text.ToString();
    }

    /// <summary>The request with one clause of the rule not met.</summary>
    private static ScaffoldRequest Beside(ScaffoldRequest request, AuthorizationRule rule)
    {
        var operation = rule.To.IsDefaultOrEmpty ? null : rule.To[0];
        return request switch
        {
            { Claims: not null } => request with { Claims = null },
            _ when operation is { Paths.IsDefaultOrEmpty: false } => request with { Path = "/somewhere/else" },
            _ when operation is { Methods.IsDefaultOrEmpty: false } => request with { Method = request.Method == "GET" ? "POST" : "GET" },
            _ when operation is { Hosts.IsDefaultOrEmpty: false } => request with { Host = "elsewhere.example.com" },
            { Headers.IsEmpty: false } => request with { Headers = [] },
            _ => request with { Client = new TestClient() },
        };
    }

    private void Add(string name, ScaffoldRequest request, DateTimeOffset now)
    {
        var test = request.ToTest(name);
        var fields = Fields(request);
        if (!_written.Add(fields))
        {
            return;
        }

        var judgement = judge.Judge(describe(test, now), test, now);
        var isAsked = judgement.Obstacle is not null;
        if (isAsked)
        {
            test = test with { Authorizers = test.Authorizers.Add("", new AuthorizerAnswer(AuthorizerOutcome.Allow)) };
            judgement = judge.Judge(describe(test, now), test, now);
        }

        _text.Append(CultureInfo.InvariantCulture, $"  - name: {Scalar(name)}\n{fields}{(isAsked ? "    authorizer: allow\n" : "")}    expect: {Expectation(judgement)}\n");
    }

    private static string Expectation(Judgement judgement)
    {
        var outcome = judgement.IsAllowed ? "outcome: allow" : string.Create(CultureInfo.InvariantCulture, $"status: {judgement.Status}");
        return judgement switch
        {
            { Policy: null } => $"{{ {outcome}, policy: none }}",
            { Rule: { } rule } => string.Create(CultureInfo.InvariantCulture, $"{{ {outcome}, policy: {Scalar(judgement.Policy)}, rule: {rule} }}"),
            _ => $"{{ {outcome}, policy: {Scalar(judgement.Policy)} }}",
        };
    }

    private string Fields(ScaffoldRequest request)
    {
        var text = new StringBuilder();
        var isPlain = request.Host == host && request.Port == 80 && request.Headers.IsEmpty && !request.Path.Any(char.IsWhiteSpace);
        text.Append("    request: ");
        if (isPlain)
        {
            text.Append(Scalar($"{request.Method} {request.Path}"));
        }
        else
        {
            string?[] parts =
            [
                $"method: {Scalar(request.Method)}",
                $"path: {Scalar(request.Path.Replace(" ", "%20", StringComparison.Ordinal))}",
                request.Host == host ? null : $"host: {Scalar(request.Host)}",
                request.Port == 80 ? null : string.Create(CultureInfo.InvariantCulture, $"port: {request.Port}"),
                request.Headers.IsEmpty ? null : $"headers: {{ {string.Join(", ", request.Headers.Select(h => $"{Scalar(h.Key)}: {Scalar(h.Value)}"))} }}",
            ];
            text.Append("{ ").AppendJoin(", ", parts.Where(p => p is not null)).Append(" }");
        }

        text.Append('\n');
        if (request.Claims is { } claims)
        {
            text.Append("    as: ").Append(Value(claims)).Append('\n');
        }

        string?[] client =
        [
            request.Client.Ip.Equals(System.Net.IPAddress.Loopback) ? null : $"ip: {Quoted(request.Client.Ip.ToString())}",
            request.Client.RemoteIp is { } remote ? $"remoteIp: {Quoted(remote.ToString())}" : null,
            request.Client.Principal is { } principal ? $"principal: {Quoted(principal)}" : null,
            request.Client.ServerName is { } name ? $"sni: {Scalar(name)}" : null,
        ];
        if (client.Any(p => p is not null))
        {
            text.Append("    from: { ").AppendJoin(", ", client.Where(p => p is not null)).Append(" }\n");
        }

        return text.ToString();
    }

    private static string Value(JsonNode? node) => node switch
    {
        JsonObject mapping => $"{{ {string.Join(", ", mapping.Select(m => $"{Scalar(m.Key)}: {Value(m.Value)}"))} }}",
        JsonValue value when value.TryGetValue<string>(out var text) => Scalar(text),
        _ => node?.ToJsonString() ?? "null",
    };

    /// <summary>Plain where that cannot be read otherwise, else as JSON, which is YAML.</summary>
    private static string Scalar(string text) =>
        text.Length > 0
        && char.IsAsciiLetter(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/' or '@' or ' ')
        && !text.EndsWith(' ')
        && !Words.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? text
            : Quoted(text);

    private static string Quoted(string text) => JsonSerializer.Serialize(text, Json);
}
