using System.Net;
using Portcullis.FunctionalTests.Support;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Running;

public sealed class ReloadTests
{
    private const string DenyAll = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: deny-all, namespace: istio-system}
        spec: {action: DENY, rules: [{}]}
        """;

    [Theory]
    [InlineData("kind: [", "PC1001")]
    [InlineData("apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: istio-system}\nspec: {rulez: []}", "rules")]
    public async Task BadEdit_KeepsTheLastGoodConfigurationAndSaysWhatIsWrong(string broken, string expected)
    {
        await using var gateway = await RunningGateway.StartAsync("{}");
        await gateway.ApplyAsync(() => gateway.Write("policy.yaml", DenyAll));
        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/get")).Status);

        await gateway.ApplyBadAsync(() => gateway.Write("policy.yaml", broken));

        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/get")).Status);
        await gateway.Process.WaitForLineAsync(l => l.Contains("policy.yaml:", StringComparison.Ordinal) && l.Contains(expected, StringComparison.Ordinal), expected);
        var detail = await RawHttp.GetAsync(gateway.StatusPort, "/readyz");
        Assert.Equal(200, detail.Status);
        Assert.Contains("policy.yaml", detail.Body, StringComparison.Ordinal);

        await gateway.ApplyAsync(() => gateway.Delete("policy.yaml"));
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/get")).Status);
    }

    [Fact]
    public async Task Reloads_UnderTraffic_FailNoRequest()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var done = new CancellationTokenSource();
        var answers = new int[2];
        var traffic = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/bytes/1024");
                using var response = await client.SendAsync(request, CancellationToken.None);
                var length = (await response.Content.ReadAsByteArrayAsync()).Length;
                Interlocked.Increment(ref answers[response.StatusCode == HttpStatusCode.OK && length == 1024 ? 0 : 1]);
            }
        })).ToArray();

        for (var i = 0; i < 8; i++)
        {
            await gateway.ApplyAsync(() => gateway.Write("extra.yaml", $$"""
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: extra-{{i}}, namespace: default}
                spec: {gateways: [httpbin-gateway], hosts: [extra-{{i}}.example], http: [{route: [{destination: {host: httpbin} }]}]}
                """));
        }

        await done.CancelAsync();
        await Task.WhenAll(traffic);
        Assert.Equal(0, answers[1]);
        Assert.True(answers[0] > 8, $"only {answers[0]} requests");
    }

    [Fact]
    public async Task Stream_ThatWasOpenAtAReload_RunsToItsEnd()
    {
        using var backend = new HoldingBackend();
        await using var gateway = await RunningGateway.StartAsync("{}", ("endpoints.yaml", Samples.Endpoints(backend.Port)));
        var open = RawHttp.GetAsync(gateway.Port, "/get");
        await backend.Received;

        await gateway.ApplyAsync(() => gateway.Write("policy.yaml", DenyAll));
        Assert.Equal(403, (await RawHttp.GetAsync(gateway.Port, "/get")).Status);
        backend.Answer();

        // The request was let in by the configuration of its first byte, and keeps it.
        var response = await open;
        Assert.Equal((200, "ok"), (response.Status, response.Body));
    }

    [Fact]
    public async Task Gateway_WithAnotherPort_ListensThereAndLeavesTheFirstAlone()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");
        var free = FreePort();

        await gateway.ApplyAsync(() => gateway.Write("second.yaml", $$"""
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: second, namespace: default}
            spec: {selector: {istio: ingressgateway}, servers: [{hosts: ["*"], port: {number: {{free}}, name: http, protocol: HTTP} }]}
            """));

        // No VirtualService is bound to the second Gateway.
        Assert.Equal(404, (await RawHttp.GetAsync(free, "/get")).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/get")).Status);

        await gateway.ApplyAsync(() => gateway.Delete("second.yaml"));
        await gateway.Process.WaitForLineAsync("no longer listening");
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/get")).Status);
    }

    [Fact]
    public async Task Reload_OfKeys_RefusesTokensOfTheOldOnesAtOnce()
    {
        var old = new TokenIssuer();
        var next = new TokenIssuer();
        await using var gateway = await RunningGateway.StartAsync("{}", ("jwt.yaml", Rule(old)));
        var bearer = "Authorization: Bearer " + old.Mint();
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/get", bearer)).Status);

        await gateway.ApplyAsync(() => gateway.Write("jwt.yaml", Rule(next)));

        Assert.Equal(401, (await RawHttp.GetAsync(gateway.Port, "/get", bearer)).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/get", "Authorization: Bearer " + next.Mint())).Status);
    }

    private static string Rule(TokenIssuer issuer) => $$"""
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec: {jwtRules: [{issuer: {{issuer.Issuer}}, jwks: '{{issuer.JwksJson}}'}]}
        """;

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
