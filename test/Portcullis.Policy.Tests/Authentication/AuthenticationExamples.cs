using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Portcullis.Jose;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>The examples of Data/authentication.json, with their keys and tokens made for this run.</summary>
internal static partial class AuthenticationExamples
{
    private static readonly Dictionary<string, JsonWebKey> Keys = new[] { "k1", "k2", "k3", "k9" }
        .ToDictionary(name => name, name => JsonWebKey.Generate(JwsAlgorithm.ES256, name));

    private static readonly Dictionary<string, JsonElement> All = Read();

    /// <summary>Name and mode of every example that request authentication alone can answer.</summary>
    public static TheoryData<string> Names => [.. All.Where(e => !e.Value.TryGetProperty("stage", out _)).Select(e => e.Key)];

    public static Example Get(string name) => new(All[name], name.EndsWith("exact", StringComparison.Ordinal));

    private static Dictionary<string, JsonElement> Read()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Data", "authentication.json"));
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

    private static string KeySet(string name) => name switch
    {
        "none" => """{"keys":[]}""",
        _ when name.EndsWith("-without-kid", StringComparison.Ordinal) =>
            $$"""{"keys":[{{WithoutKeyId(Keys[name[..^"-without-kid".Length]])}}]}""",
        _ => $$"""{"keys":[{{Keys[name].ToJson()}}]}""",
    };

    private static string WithoutKeyId(JsonWebKey key)
    {
        var json = JsonNode.Parse(key.ToJson())!.AsObject();
        json.Remove("kid");
        return json.ToJsonString();
    }

    private static string Mint(JsonElement token)
    {
        var claims = JsonNode.Parse(token.GetProperty("claims").GetRawText())!.AsObject();
        foreach (var (name, value) in claims.ToArray())
        {
            if (value is JsonValue text && text.TryGetValue<string>(out var s) && s.StartsWith("now", StringComparison.Ordinal))
            {
                claims[name] = TestPolicies.Now.ToUnixTimeSeconds() + long.Parse(s[3..], CultureInfo.InvariantCulture);
            }
        }

        var key = Keys[token.GetProperty("key").GetString()!];
        var jws = token.TryGetProperty("header", out var header)
            ? JwtSigner.SignCompact(System.Text.Encoding.UTF8.GetBytes(header.GetRawText()), System.Text.Encoding.UTF8.GetBytes(claims.ToJsonString()), key, JwsAlgorithm.ES256)
            : JwtSigner.Sign(claims.ToJsonString(), key);
        jws = token.TryGetProperty("breakSignature", out _) ? TestSupport.TokenIssuer.BreakSignature(jws) : jws;
        return token.TryGetProperty("suffix", out var suffix) ? jws + suffix.GetString() : jws;
    }

    [GeneratedRegex(@"\$\{(keys:)?([A-Za-z0-9-]+)\}")]
    private static partial Regex Placeholder { get; }

    internal sealed class Example
    {
        private readonly JsonElement _json;
        private readonly Dictionary<string, string> _tokens;

        public Example(JsonElement json, bool isExact)
        {
            _json = json;
            IsExact = isExact;
            _tokens = json.TryGetProperty("tokens", out var tokens)
                ? tokens.EnumerateObject().ToDictionary(t => t.Name, t => Mint(t.Value))
                : [];
        }

        public bool IsExact { get; }

        public JsonElement Expect => _json.GetProperty("expect");

        public ImmutableArray<RequestAuthentication> Policies =>
            [.. _json.GetProperty("policies").EnumerateArray().Select(p => TestPolicies.Policy([.. p.GetProperty("jwtRules").EnumerateArray().Select(Rule)]))];

        public KeyServers KeyServers
        {
            get
            {
                var servers = new KeyServers();
                foreach (var server in _json.TryGetProperty("keyServers", out var all) ? all.EnumerateObject().ToArray() : [])
                {
                    if (server.Value.ValueKind == JsonValueKind.String)
                    {
                        servers.Serve(server.Name, Fill(server.Value.GetString()!));
                    }
                }

                return servers;
            }
        }

        public TestRequest Request
        {
            get
            {
                var request = _json.GetProperty("request");
                return new(
                    Fill(request.GetProperty("path").GetString()!),
                    request.GetProperty("method").GetString()!,
                    [.. request.GetProperty("headers").EnumerateArray().Select(h => (h[0].GetString()!, Fill(h[1].GetString()!)))]);
            }
        }

        public string Fill(string text) => Placeholder.Replace(
            text, m => m.Groups[1].Success ? KeySet(m.Groups[2].Value) : _tokens[m.Groups[2].Value]);

        private JwtRule Rule(JsonElement json)
        {
            string? Text(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? Fill(value.GetString()!) : null;
            ImmutableArray<string> Texts(string name) =>
                json.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(v => v.GetString()!)] : [];
            JsonElement[] Items(string name) => json.TryGetProperty(name, out var list) ? [.. list.EnumerateArray()] : [];
            return new()
            {
                Issuer = Text(json, "issuer"),
                Audiences = Texts("audiences"),
                Jwks = Text(json, "jwks"),
                JwksUri = Text(json, "jwksUri"),
                FromHeaders = [.. Items("fromHeaders").Select(h => new JwtHeaderLocation(Text(h, "name")!, Text(h, "prefix") ?? ""))],
                FromParams = Texts("fromParams"),
                FromCookies = Texts("fromCookies"),
                OutputPayloadToHeader = Text(json, "outputPayloadToHeader"),
                OutputClaimToHeaders = [.. Items("outputClaimToHeaders").Select(c => new ClaimToHeader(Text(c, "header")!, Text(c, "claim")!))],
                ForwardOriginalToken = json.TryGetProperty("forwardOriginalToken", out var forward) && forward.GetBoolean(),
                SpaceDelimitedClaims = Texts("spaceDelimitedClaims"),
                Presence = Text(json, "presence") == "REQUIRED" ? JwtPresence.Required : JwtPresence.Optional,
            };
        }
    }
}
