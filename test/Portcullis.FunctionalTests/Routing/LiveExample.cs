using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portcullis.FunctionalTests.Support;
using Portcullis.Jose;
using Portcullis.Routing.Tests.Examples;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Routing;

/// <summary>One example of test/Portcullis.Routing.Tests/Data/routing-examples.yaml with a whole gateway and two backends, until it is disposed of.</summary>
internal sealed class LiveExample : IAsyncDisposable
{
    private const int Batch = 200;
    private const string Mesh = "accessLogFile: ${access-log}\naccessLogFormat: \"%REQ(X-CASE)% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\\n\"";

    private static readonly TokenIssuer Issuer = new("i", JwsAlgorithm.ES256);
    private static readonly TokenIssuer Forger = new("i", JwsAlgorithm.ES256);

    private readonly ScriptedBackend _a;
    private readonly ScriptedBackend _b;
    private readonly DeadPort _dead = new();
    private readonly ConcurrentQueue<string> _heads = new();

    private LiveExample(RoutingExample example)
    {
        Example = example;
        (_a, _b) = (Backend("a"), Backend("b"));
    }

    public static ExampleFile File { get; } = ExampleFile.Load(Path.Combine(Repository.Root, "test", "Portcullis.Routing.Tests", "Data", "routing-examples.yaml"));

    public RoutingExample Example { get; }

    public InProcessGateway Gateway { get; private set; } = null!;

    /// <summary>Requests that have come to a backend.</summary>
    public IReadOnlyList<ScriptedRequest> Requests(string backend) => (backend == "a" ? _a : _b).Requests;

    /// <summary>Requests that have come to any backend.</summary>
    public int Attempts => _heads.Count;

    /// <summary>The last of them.</summary>
    /// <param name="before">How many there were before the one that is meant.</param>
    public EchoedRequest LastRequest(int before)
    {
        Assert.True(Attempts > before, "no request came to a backend");
        return EchoedRequest.Of(new RawResponse(0, [], _heads.Last()));
    }

    public static async Task<LiveExample> StartAsync(string name)
    {
        var live = new LiveExample(File.Examples.Single(e => e.Name == name));
        try
        {
            var documents = live.Example.Documents(File, live.Fill);
            live.Gateway = await InProcessGateway.StartAsync(
                0, new() { HasGuide = false, Mesh = Mesh }, [.. documents.Select((d, i) => ($"{i}.yaml", d)), ("jwt.json", Rule())]);
            return live;
        }
        catch
        {
            await live.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts the backends' addresses in.</summary>
    public string Fill(string text) => text
        .Replace("$A_ADDRESS", "127.0.0.1", StringComparison.Ordinal).Replace("$B_ADDRESS", "127.0.0.1", StringComparison.Ordinal)
        .Replace("$A_PORT", Text(_a.Port), StringComparison.Ordinal).Replace("$B_PORT", Text(_b.Port), StringComparison.Ordinal)
        .Replace("$DEAD_PORT", Text(_dead.Port), StringComparison.Ordinal);

    /// <summary>Sends the request of a case as often as it says.</summary>
    /// <returns>The last answer.</returns>
    public async Task<RawResponse> SendAsync(ExampleCase one)
    {
        if (one.Request.GetValueOrDefault("raw") is string raw)
        {
            return await RawHttp.SendTextAsync(Gateway.Port, raw);
        }

        var request = new CaseRequest(one);
        var lines = request.Headers.Select(h => $"{h.Name}: {h.Value.Replace("$LONG", new string('x', 70_000), StringComparison.Ordinal)}").ToList();
        lines.Add("Host: " + request.Text("host", "foo.com"));
        lines.Add("x-case: " + Text(Example.Cases.IndexOf(one)));
        if (request.Text("claims", "") is { Length: > 0 } claims)
        {
            var issuer = request.Text("token", "") == "forged" ? Forger : Issuer;
            var payload = JsonElement.Parse(claims).EnumerateObject().Select(c => (c.Name, JsonNode.Parse(c.Value.GetRawText())));
            lines.Add("Authorization: Bearer " + issuer.Mint(subject: null, TimeProvider.System.GetUtcNow().AddHours(1), [.. payload]));
        }

        // All on one connection, as one may: the answers come in the same order.
        var head = $"{request.Text("method", "GET")} {request.Text("path", "/")} HTTP/1.1\r\n{string.Join("\r\n", lines)}\r\n";
        for (var more = request.Times; more > 1; more -= Batch)
        {
            var batch = Math.Min(Batch, more - 1);
            _ = await RawHttp.SendTextAsync(Gateway.Port, string.Concat(Enumerable.Repeat(head + "\r\n", batch - 1)) + head + "Connection: close\r\n\r\n");
        }

        return await RawHttp.SendTextAsync(Gateway.Port, head + "Connection: close\r\n\r\n");
    }

    public async ValueTask DisposeAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        _a.Dispose();
        _b.Dispose();
        _dead.Dispose();
    }

    private ScriptedBackend Backend(string name) => new(request =>
    {
        _heads.Enqueue(request.Head);
        return request.Header("answer") switch
        {
            "none" => ScriptedAnswer.Nothing,
            { } status => Answer(int.Parse(status, CultureInfo.InvariantCulture)),
            null => Answer(200),
        };

        ScriptedAnswer Answer(int status) => ScriptedAnswer.Of(status, request.Head, $"x-backend: {name}\r\n");
    });

    private static string Rule() => new JsonObject
    {
        ["apiVersion"] = "security.istio.io/v1",
        ["kind"] = "RequestAuthentication",
        ["metadata"] = new JsonObject { ["name"] = "jwt", ["namespace"] = "istio-system" },
        ["spec"] = new JsonObject { ["jwtRules"] = new JsonArray(new JsonObject { ["issuer"] = Issuer.Issuer, ["jwks"] = Issuer.JwksJson }) },
    }.ToJsonString();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
