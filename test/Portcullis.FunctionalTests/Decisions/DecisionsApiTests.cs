using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Decisions;

/// <summary>The admin API's <c>/decisions</c>.</summary>
public sealed class DecisionsApiTests : IDisposable
{
    private const string Header = "x-portcullis-decision-id";

    private const string Policies = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: no-orders, namespace: istio-system}
        spec: {action: DENY, rules: [{to: [{operation: {paths: ["/orders"]}}]}]}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: no-keys, namespace: istio-system}
        spec: {action: DENY, rules: [{when: [{key: "request.headers[authorization]", values: ["Basic *"]}]}]}
        """;

    private readonly EchoBackend _backend = new();

    public void Dispose() => _backend.Dispose();

    [Fact]
    public async Task List_IsNewestFirstFilteredAndPaged()
    {
        await using var gateway = await StartAsync();
        foreach (var path in new[] { "/1", "/orders", "/2", "/3" })
        {
            await RawHttp.GetAsync(gateway.Port, path);
        }

        var first = await JsonAsync(gateway, "/decisions?limit=3");
        Assert.Equal(["/3", "/2", "/orders"], Paths(first));
        Assert.Equal(["/1"], Paths(await JsonAsync(gateway, $"/decisions?before={first.GetProperty("next").GetInt64()}")));
        Assert.Equal(["/orders"], Paths(await JsonAsync(gateway, "/decisions?outcome=denied")));
        Assert.Equal(["/orders"], Paths(await JsonAsync(gateway, "/decisions?policy=no-orders&status=403")));
        Assert.Equal(["/3", "/2", "/1"], Paths(await JsonAsync(gateway, "/decisions?outcome=allowed")));
        Assert.Empty(Paths(await JsonAsync(gateway, "/decisions?since=2999-01-01T00:00:00Z")));
        Assert.Equal(400, (await RawHttp.GetAsync(gateway.AdminPort, "/decisions?colour=red")).Status);
    }

    [Fact]
    public async Task OldestDecision_BeyondTheCapacity_IsGoneAndSaysSo_AndAllowedOnesPushNoRefusalOut()
    {
        await using var gateway = await StartAsync(capacity: 2);
        var oldest = (await RawHttp.GetAsync(gateway.Port, "/orders?1")).Header(Header);
        var kept = (await RawHttp.GetAsync(gateway.Port, "/orders?2")).Header(Header);
        await RawHttp.GetAsync(gateway.Port, "/orders?3");
        for (var i = 0; i < 5; i++)
        {
            await RawHttp.GetAsync(gateway.Port, "/");
        }

        var gone = await RawHttp.GetAsync(gateway.AdminPort, $"/decisions/{oldest}");
        Assert.Equal(404, gone.Status);
        Assert.Contains("has made room for newer ones", gone.Body, StringComparison.Ordinal);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.AdminPort, $"/decisions/{kept}")).Status);
        Assert.Equal(4, Paths(await JsonAsync(gateway, "/decisions")).Length);
    }

    [Fact]
    public async Task ExactMode_NamesNoDecisionToTheClientButKeepsIt()
    {
        await using var gateway = await StartAsync(mesh: "{authorizationDenied: Forbidden, principalWithoutSub: Reject, denyPathReadings: Exact}");

        var denied = await RawHttp.GetAsync(gateway.Port, "/orders");

        Assert.Equal(403, denied.Status);
        Assert.Null(denied.Header(Header));
        Assert.Equal(["/orders"], Paths(await JsonAsync(gateway, "/decisions")));
    }

    [Theory]
    [InlineData("/decisions")]
    [InlineData("/decisions/0000000000000000")]
    [InlineData("/decisions/stream")]
    public async Task ForeignHost_IsRefused_SoThatAPageCannotReadThemByRebinding(string path)
    {
        await using var gateway = await StartAsync();

        Assert.Equal(421, (await RawHttp.GetAsync(gateway.AdminPort, path, "Host: rebound.example")).Status);
    }

    [Fact]
    public async Task CredentialThatAPolicyLooksAt_IsNotKept_AndTheExplanationSaysThatItDoesNotSuffice()
    {
        await using var gateway = await StartAsync();

        var denied = await RawHttp.GetAsync(gateway.Port, "/", "Authorization: Basic c2VjcmV0OnBhc3M=", "Cookie: session=abcdef", "X-Key: opensesame");

        Assert.Equal(403, denied.Status);
        var explained = (await RawHttp.GetAsync(gateway.AdminPort, $"/decisions/{denied.Header(Header)}")).Body;
        Assert.Contains("what was kept of the request does not suffice", explained, StringComparison.Ordinal);
        Assert.Contains("denied by ns[istio-system]-policy[no-keys]-rule[0]", explained, StringComparison.Ordinal);
        Assert.All(["c2VjcmV0OnBhc3M=", "abcdef", "opensesame"], secret => Assert.DoesNotContain(secret, explained, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reload_WhenTheDecidingConfigurationIsNoLongerHeld_IsSaidWithBothAnswers()
    {
        await using var gateway = await StartAsync();
        var denied = await RawHttp.GetAsync(gateway.Port, "/orders");
        for (var i = 0; i < 3; i++)
        {
            await gateway.ApplyAsync("policies.yaml", $"# {i}\n{Policies.Replace("/orders", $"/orders{i}", StringComparison.Ordinal)}");
            await RawHttp.GetAsync(gateway.Port, "/");
        }

        var explained = JsonElement.Parse((await RawHttp.GetAsync(gateway.AdminPort, $"/decisions/{denied.Header(Header)}")).Body);

        Assert.Equal("Forbidden", explained.GetProperty("recorded").GetProperty("outcome").GetString());
        Assert.Equal("Allowed", explained.GetProperty("decision").GetProperty("outcome").GetString());
        Assert.Matches("generation 1 .+ 4, and the older one is no longer held", explained.GetProperty("note").GetString());
        Assert.Contains("the present configuration allows it", explained.GetProperty("note").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonAccessLog_HasTheId_AndAClientsOwnIsForwardedAsAnyHeader()
    {
        await using var gateway = await StartAsync(
            mesh: """{accessLogFile: "${access-log}", accessLogEncoding: JSON, accessLogFormat: '{"id":"%DECISION_ID%","why":"%RESPONSE_CODE_DETAILS%"}'}""");

        var denied = await RawHttp.GetAsync(gateway.Port, "/orders", $"{Header}: mine");
        var passed = await RawHttp.GetAsync(gateway.Port, "/", $"{Header}: mine");
        var allowed = (await JsonAsync(gateway, "/decisions?outcome=allowed")).GetProperty("decisions")[0].GetProperty("id").GetString();

        Assert.Equal(["mine"], EchoedRequest.Of(passed).Lines(Header));
        var log = (await gateway.StopAndReadAccessLogAsync()).Select(l => JsonElement.Parse(l)).ToArray();
        Assert.Equal([denied.Header(Header), allowed], log.Select(l => l.GetProperty("id").GetString()));
        Assert.Equal("rbac_access_denied_matched_policy[ns[istio-system]-policy[no-orders]-rule[0]]", log[0].GetProperty("why").GetString());
    }

    [Fact]
    public async Task Stream_TellsDecisionsAsEvents()
    {
        await using var gateway = await StartAsync();
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(System.Net.IPAddress.Loopback, gateway.AdminPort, patience.Token);
        using var reader = new StreamReader(client.GetStream());
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /decisions/stream?outcome=denied HTTP/1.1\r\nHost: localhost\r\n\r\n"), patience.Token);
        await ReadUntilAsync(reader, ": decisions from now on", patience.Token);

        await RawHttp.GetAsync(gateway.Port, "/passes");
        var id = (await RawHttp.GetAsync(gateway.Port, "/orders")).Header(Header);

        Assert.Equal("event: decision", await ReadUntilAsync(reader, "event:", patience.Token));
        Assert.Equal($"id: {id}", await ReadUntilAsync(reader, "id:", patience.Token));
        var data = JsonElement.Parse((await ReadUntilAsync(reader, "data:", patience.Token))["data: ".Length..]);
        Assert.Equal(("/orders", 403), (data.GetProperty("path").GetString(), data.GetProperty("status").GetInt32()));
    }

    private async Task<InProcessGateway> StartAsync(int capacity = 100, string mesh = "{}") =>
        await InProcessGateway.StartAsync(_backend.Port, new InProcessOptions { Mesh = mesh, DecisionCapacity = capacity }, ("policies.yaml", Policies));

    private static async Task<JsonElement> JsonAsync(InProcessGateway gateway, string target)
    {
        var response = await RawHttp.GetAsync(gateway.AdminPort, target);
        Assert.Equal(200, response.Status);
        return JsonElement.Parse(response.Body);
    }

    private static string[] Paths(JsonElement page) => [.. page.GetProperty("decisions").EnumerateArray().Select(d => d.GetProperty("path").GetString()!)];

    private static async Task<string> ReadUntilAsync(StreamReader reader, string start, CancellationToken cancellationToken)
    {
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"the stream ended without `{start}`");
    }
}
