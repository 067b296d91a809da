using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.FunctionalTests.Support;
using Portcullis.Jose;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Authorization;

/// <summary>One example of test/Portcullis.Policy.Tests/Data/authorization-examples.json, as files for a gateway and a request to it.</summary>
internal sealed class PolicyExample
{
    private static readonly TokenIssuer Issuer = new("https://i1.example", JwsAlgorithm.ES256);
    private static readonly Dictionary<string, JsonElement> All = Read();

    private readonly JsonElement _json;
    private readonly JsonElement _live;

    private PolicyExample(string name)
    {
        _json = All[name];
        _live = _json.TryGetProperty("live", out var live) ? live : JsonElement.Parse("{}");
        IsExact = name.EndsWith(" exact", StringComparison.Ordinal);
    }

    /// <summary>Every example that a client without a certificate can send, once for each mode it speaks of.</summary>
    public static IEnumerable<string> Names => All.Keys;

    public bool IsExact { get; }

    /// <summary>Whether the gateway takes the configuration: validation refuses some of the examples.</summary>
    public bool IsAccepted => !_live.TryGetProperty("accepted", out _);

    /// <summary>What the answer's status has to be.</summary>
    public int Status => _live.TryGetProperty("status", out var status)
        ? status.GetInt32()
        : Expect == "allow" ? 200 : int.Parse(Expect, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What a refusal has to say.</summary>
    public string Body => _live.TryGetProperty("body", out var body)
        ? body.GetString()!
        : Status == 401 && !Request.TryGetProperty("claims", out _) ? "Jwt is missing" : "RBAC: access denied";

    public WorkloadIdentity Workload
    {
        get
        {
            var workload = new WorkloadIdentity();
            return !_json.TryGetProperty("gateway", out var gateway) ? workload : workload with
            {
                Namespace = gateway.TryGetProperty("namespace", out var ns) ? ns.GetString()! : workload.Namespace,
                Labels = gateway.TryGetProperty("labels", out var labels)
                    ? workload.Labels.AddRange(labels.EnumerateObject().Select(l => KeyValuePair.Create(l.Name, l.Value.GetString()!)))
                    : workload.Labels,
            };
        }
    }

    /// <summary>The mesh configuration, without its mode.</summary>
    public string Mesh
    {
        get
        {
            var mesh = new JsonObject();
            if (_live.TryGetProperty("numTrustedProxies", out var proxies))
            {
                mesh["defaultConfig"] = new JsonObject { ["gatewayTopology"] = new JsonObject { ["numTrustedProxies"] = proxies.GetInt32() } };
            }

            if (_live.TryGetProperty("proxySource", out _))
            {
                mesh["defaultConfig"] = new JsonObject { ["gatewayTopology"] = new JsonObject { ["proxyProtocol"] = new JsonObject() } };
            }

            if (_json.TryGetProperty("mesh", out var given))
            {
                foreach (var key in given.EnumerateObject())
                {
                    mesh[key.Name] = key.Name == "pathNormalization"
                        ? new JsonObject { ["normalization"] = Envoy(key.Value.GetString()!) }
                        : JsonNode.Parse(key.Value.GetRawText());
                }
            }

            return string.Concat(mesh.Select(f => $"{f.Key}: {f.Value!.ToJsonString()}\n"));
        }
    }

    private JsonElement Request => _json.GetProperty("request");

    private string Expect => _json.GetProperty("expect").ToString();

    public static PolicyExample Get(string name) => new(name);

    /// <summary>Its policies, and the rule that its tokens are verified by. JSON is what a file may hold too.</summary>
    public IEnumerable<(string File, string Text)> Files()
    {
        var index = 0;
        foreach (var policy in _json.GetProperty("policies").EnumerateArray())
        {
            var spec = JsonNode.Parse(policy.GetRawText())!.AsObject();
            var metadata = new JsonObject
            {
                ["name"] = $"p{index}",
                ["namespace"] = Take(spec, "namespace") ?? "istio-system",
                ["annotations"] = Take(spec, "annotations") ?? new JsonObject(),
            };
            if (Take(spec, "provider") is { } provider)
            {
                spec["provider"] = new JsonObject { ["name"] = provider };
            }

            yield return ($"policy-{index++}.json", Resource("AuthorizationPolicy", metadata, spec));
        }

        var rule = new JsonObject { ["issuer"] = Issuer.Issuer, ["jwks"] = Issuer.JwksJson };
        if (_live.TryGetProperty("presence", out var presence))
        {
            rule["presence"] = presence.GetString();
        }

        yield return ("jwt.json", Resource(
            "RequestAuthentication", new() { ["name"] = "jwt", ["namespace"] = Workload.Namespace }, new() { ["jwtRules"] = new JsonArray(rule) }));
    }

    /// <summary>Sends its request.</summary>
    public Task<RawResponse> SendAsync(int port)
    {
        var lines = Headers(Request).Concat(Headers(_live)).ToList();
        lines.Add($"Host: {(Request.TryGetProperty("host", out var host) ? host.GetString() : "shop.example.com")}");
        if (Request.TryGetProperty("claims", out var claims))
        {
            lines.Add($"Authorization: Bearer {Mint(claims, TimeSpan.FromHours(1))}");
        }
        else if (_live.TryGetProperty("token", out _))
        {
            lines.Add($"Authorization: Bearer {Issuer.Mint("alice", TimeProvider.System.GetUtcNow().AddHours(-1))}");
        }

        var method = Request.TryGetProperty("method", out var m) ? m.GetString()! : "GET";
        var target = Request.TryGetProperty("target", out var t) ? t.GetString()! : "/";
        return _live.TryGetProperty("proxySource", out var source)
            ? RawHttp.SendTextAsync(
                port, $"PROXY TCP4 {source.GetString()} 127.0.0.1 4711 80\r\n{method} {target} HTTP/1.1\r\n{string.Join("\r\n", lines)}\r\nConnection: close\r\n\r\n")
            : RawHttp.SendAsync(port, method, target, [.. lines]);
    }

    private static IEnumerable<string> Headers(JsonElement parent) => parent.TryGetProperty("headers", out var headers)
        ? headers.EnumerateArray().Select(h => $"{h[0].GetString()}: {h[1].GetString()}")
        : [];

    private static string Mint(JsonElement claims, TimeSpan life) => Issuer.Mint(
        subject: null, TimeProvider.System.GetUtcNow() + life, [.. claims.EnumerateObject().Select(c => (c.Name, JsonNode.Parse(c.Value.GetRawText())))]);

    private static Dictionary<string, JsonElement> Read()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "test", "Portcullis.Policy.Tests", "Data", "authorization-examples.json"));
        var examples = new Dictionary<string, JsonElement>();
        foreach (var example in JsonElement.Parse(text).EnumerateArray())
        {
            var needsAuthorizer = !example.TryGetProperty("policies", out _);
            if (needsAuthorizer || example.GetProperty("request").TryGetProperty("peerUri", out _))
            {
                continue;
            }

            var (id, mode) = (example.GetProperty("id").GetString(), example.GetProperty("mode").GetString());
            var number = examples.Keys.Count(k => k.StartsWith(id!, StringComparison.Ordinal)) is var n and > 0 ? $"/{n + 1}" : "";
            foreach (var one in mode == "both" ? ["default", "exact"] : new[] { mode })
            {
                examples.Add($"{id}{number} {one}", example);
            }
        }

        return examples;
    }

    private static string Envoy(string mode) => mode switch
    {
        "MergeSlashes" => "MERGE_SLASHES",
        "DecodeAndMergeSlashes" => "DECODE_AND_MERGE_SLASHES",
        _ => mode.ToUpperInvariant(),
    };

    private static JsonNode? Take(JsonObject parent, string name)
    {
        var value = parent[name];
        parent.Remove(name);
        return value;
    }

    private static string Resource(string kind, JsonObject metadata, JsonObject spec) => new JsonObject
    {
        ["apiVersion"] = "security.istio.io/v1",
        ["kind"] = kind,
        ["metadata"] = metadata,
        ["spec"] = spec,
    }.ToJsonString();
}
