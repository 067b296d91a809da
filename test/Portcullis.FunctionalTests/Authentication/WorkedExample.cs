using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Portcullis.FunctionalTests.Support;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Authentication;

/// <summary>One example of test/Portcullis.Policy.Tests/Data/authentication.json, as files for a gateway and a request to it.</summary>
internal sealed partial class WorkedExample
{
    private static readonly Dictionary<string, JsonWebKey> Keys = new[] { "k1", "k2", "k3", "k9" }
        .ToDictionary(name => name, name => JsonWebKey.Generate(JwsAlgorithm.ES256, name));

    private static readonly Dictionary<string, JsonElement> All = Read();

    private readonly JsonElement _json;
    private readonly Dictionary<string, string> _tokens;

    private WorkedExample(string name)
    {
        _json = All[name];
        IsExact = name.EndsWith(" exact", StringComparison.Ordinal);
        _tokens = _json.TryGetProperty("tokens", out var tokens) ? tokens.EnumerateObject().ToDictionary(t => t.Name, t => Mint(t.Value)) : [];
    }

    /// <summary>Every example, once for each mode it speaks of.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>The time at which all of them happen.</summary>
    public static DateTimeOffset Now { get; } = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    public bool IsExact { get; }

    public JsonElement Expect => _json.GetProperty("expect");

    /// <summary>The key set that each URL answers with; <see langword="null"/> where nobody answers.</summary>
    public IEnumerable<(string Url, string? KeySet)> KeyServers => _json.TryGetProperty("keyServers", out var servers)
        ? servers.EnumerateObject().Select(s => (s.Name, s.Value.GetString() is { } text ? Fill(text) : null))
        : [];

    public static WorkedExample Get(string name) => new(name);

    /// <summary>Its policies and routes. JSON is what a file may hold too.</summary>
    /// <param name="urls">Where the key servers of the example really are.</param>
    public IEnumerable<(string File, string Text)> Files(IReadOnlyDictionary<string, string> urls)
    {
        var index = 0;
        foreach (var policy in _json.GetProperty("policies").EnumerateArray())
        {
            var spec = (JsonObject)FillIn(JsonNode.Parse(policy.GetRawText())!, urls);
            yield return ($"policy-{index}.json", Resource("security.istio.io/v1", "RequestAuthentication", $"p{index++}", "istio-system", spec));
        }

        if (_json.TryGetProperty("virtualServiceMatch", out var match))
        {
            yield return ("virtual-service.yaml", Resource("networking.istio.io/v1", "VirtualService", "httpbin", "default", new()
            {
                ["gateways"] = new JsonArray("httpbin-gateway"),
                ["hosts"] = new JsonArray("*"),
                ["http"] = new JsonArray(
                    new JsonObject { ["match"] = new JsonArray(JsonNode.Parse(match.GetRawText())), ["route"] = Route("matched") },
                    new JsonObject { ["route"] = Route("default") }),
            }));
        }

        if (Expect.TryGetProperty("spaceDelimited", out _))
        {
            yield return ("allow-write.json", Resource("security.istio.io/v1", "AuthorizationPolicy", "allow-write", "istio-system", (JsonObject)JsonNode.Parse(
                """{"rules": [{"when": [{"key": "request.auth.claims[scope]", "values": ["write"]}]}]}""")!));
        }
    }

    /// <summary>Sends its request.</summary>
    public Task<RawResponse> SendAsync(int port)
    {
        var request = _json.GetProperty("request");
        var lines = request.GetProperty("headers").EnumerateArray().Select(h => $"{h[0].GetString()}: {Fill(h[1].GetString()!)}").ToList();
        if (request.TryGetProperty("host", out var host))
        {
            lines.Add($"Host: {host.GetString()}");
        }

        if (request.TryGetProperty("scheme", out var scheme))
        {
            lines.Add($"x-forwarded-proto: {scheme.GetString()}");
        }

        return RawHttp.SendAsync(port, request.GetProperty("method").GetString()!, Fill(request.GetProperty("path").GetString()!), [.. lines]);
    }

    /// <summary>A text of the example with its tokens and key sets.</summary>
    public string Fill(string text) => Placeholder.Replace(
        text, m => m.Groups[1].Success ? KeySet(m.Groups[2].Value) : _tokens[m.Groups[2].Value]);

    private static Dictionary<string, JsonElement> Read()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "test", "Portcullis.Policy.Tests", "Data", "authentication.json"));
        var examples = new Dictionary<string, JsonElement>();
        foreach (var example in JsonElement.Parse(text).GetProperty("examples").EnumerateArray())
        {
            var (id, mode) = (example.GetProperty("id").GetString(), example.GetProperty("mode").GetString());
            foreach (var one in mode == "both" ? ["default", "exact"] : new[] { mode })
            {
                examples.Add($"{id} {one}", example);
            }
        }

        return examples;
    }

    private static string Resource(string apiVersion, string kind, string name, string ns, JsonObject spec) => new JsonObject
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns },
        ["spec"] = spec,
    }.ToJsonString();

    private static JsonArray Route(string name) => new(new JsonObject
    {
        ["destination"] = new JsonObject { ["host"] = "httpbin", ["port"] = new JsonObject { ["number"] = 8000 } },
        ["headers"] = new JsonObject { ["request"] = new JsonObject { ["set"] = new JsonObject { ["x-route"] = name } } },
    });

    private JsonNode FillIn(JsonNode node, IReadOnlyDictionary<string, string> urls) => node switch
    {
        JsonObject fields => new JsonObject(fields.Select(f => KeyValuePair.Create<string, JsonNode?>(f.Key, FillIn(f.Value!, urls)))),
        JsonArray items => new JsonArray([.. items.Select(i => FillIn(i!, urls))]),
        JsonValue value when value.TryGetValue<string>(out var text) => JsonValue.Create(urls.GetValueOrDefault(text) ?? Fill(text)),
        _ => node.DeepClone(),
    };

    private static string KeySet(string name) => name switch
    {
        "none" => """{"keys":[]}""",
        _ when name.EndsWith("-without-kid", StringComparison.Ordinal) => WithoutKeyId(Keys[name[..^"-without-kid".Length]]),
        _ => $$"""{"keys":[{{Keys[name].ToJson()}}]}""",
    };

    private static string WithoutKeyId(JsonWebKey key)
    {
        var json = JsonNode.Parse(key.ToJson())!.AsObject();
        json.Remove("kid");
        return $$"""{"keys":[{{json.ToJsonString()}}]}""";
    }

    private static string Mint(JsonElement token)
    {
        var claims = JsonNode.Parse(token.GetProperty("claims").GetRawText())!.AsObject();
        foreach (var (name, value) in claims.ToArray())
        {
            if (value is JsonValue text && text.TryGetValue<string>(out var s) && s.StartsWith("now", StringComparison.Ordinal))
            {
                claims[name] = Now.ToUnixTimeSeconds() + long.Parse(s[3..], CultureInfo.InvariantCulture);
            }
        }

        var key = Keys[token.GetProperty("key").GetString()!];
        var jws = token.TryGetProperty("header", out var header)
            ? JwtSigner.SignCompact(Encoding.UTF8.GetBytes(header.GetRawText()), Encoding.UTF8.GetBytes(claims.ToJsonString()), key, JwsAlgorithm.ES256)
            : JwtSigner.Sign(claims.ToJsonString(), key);
        jws = token.TryGetProperty("breakSignature", out _) ? TokenIssuer.BreakSignature(jws) : jws;
        return token.TryGetProperty("suffix", out var suffix) ? jws + suffix.GetString() : jws;
    }

    [GeneratedRegex(@"\$\{(keys:)?([A-Za-z0-9-]+)\}")]
    private static partial Regex Placeholder { get; }
}
