using System.Net;
using Microsoft.AspNetCore.Http;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.Tests.Jwks;

namespace Portcullis.FunctionalTests.Authentication;

/// <summary>Key servers that hang, fail, lie, or are gone.</summary>
public sealed class KeyServerOutageTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string Issuer = "https://issuer.test";
    private const string CannotBeFetched = "cannot be fetched from";

    /// <summary>No test may pass because a fetch ran into its deadline.</summary>
    private const string LongTimeout = "600s";

    public static TheoryData<string, string> Outages => new()
    {
        { "500", "the server answered 500" },
        { "10 MiB", "the answer is longer than 1048576 bytes" },
        { "HTML", "no usable key" },
        { "key set without keys", "no usable key" },
        { "gone", "" },
    };

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task Outage_OfAKnownKeyServer_LeavesItsKeysInForceUntilItComesBack(string outage, string reason)
    {
        var (issuer, next) = (RemoteKeys.Issuer(Issuer, "known"), RemoteKeys.Issuer(Issuer, "next"));
        await using var server = await KeyServer.StartAsync(issuer.Key);
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(TimeSpan.FromMilliseconds(300)), RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")));
        using var client = new GatewayClient(gateway.Port, 4);
        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(issuer.Mint("alice")));

        server.Answer = Answer(outage);
        await gateway.Log.WaitForAsync(CannotBeFetched, 2);

        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(issuer.Mint("bob"))); // not seen before: verified anew
        Assert.Equal(HttpStatusCode.Unauthorized, await client.GetAsync(next.Mint("alice")));
        var line = gateway.Log.Lines.Last(l => l.Contains(CannotBeFetched, StringComparison.Ordinal));
        Assert.Contains($"keys of issuer {Issuer} cannot be fetched from {server.KeysUrl}: {reason}", line, StringComparison.Ordinal);
        Assert.Contains("; the last good keys stay in force; next try at ", line, StringComparison.Ordinal);

        server.Serve(KeyServer.Set(next.Key));
        await client.WaitForAsync(HttpStatusCode.OK, next.Mint("alice"));
        Assert.Equal(HttpStatusCode.Unauthorized, await client.GetAsync(issuer.Mint("bob")));
        await gateway.Log.WaitForAsync("can be fetched again after");
    }

    [Fact]
    public async Task Hanging_OfAKnownKeyServer_HoldsUpNoRequest()
    {
        var issuer = RemoteKeys.Issuer(Issuer, "known");
        var stranger = RemoteKeys.Issuer(Issuer, "unknown");
        await using var server = await KeyServer.StartAsync(issuer.Key);
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(TimeSpan.FromMilliseconds(300)), RemoteKeys.Policy((Issuer, server.KeysUrl, LongTimeout)));
        using var client = new GatewayClient(gateway.Port, 4);
        var asked = server.Requests.Count;
        server.Answer = KeyServer.Hang;
        await server.WaitForRequestsAsync(asked + 1);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await client.GetAsync(issuer.Mint($"user-{i}")));
            Assert.Equal(HttpStatusCode.Unauthorized, await client.GetAsync(stranger.Mint($"user-{i}")));
        }
    }

    [Fact]
    public async Task Start_WithOneKeyServerThatHangs_ServesTheOtherIssuersAtOnce()
    {
        var (fine, stuck) = (RemoteKeys.Issuer("https://fine.test", "a"), RemoteKeys.Issuer("https://stuck.test", "b"));
        await using var server = await KeyServer.StartAsync(fine.Key);
        await using var hanging = await KeyServer.StartAsync();
        hanging.Answer = KeyServer.Hang;
        using var dead = new DeadPort();
        var started = TimeProvider.System.GetTimestamp();

        await using var gateway = await InProcessGateway.StartAsync(backend.Port, RemoteKeys.Refreshing(RemoteKeys.Never), RemoteKeys.Policy(
            (fine.Issuer, server.KeysUrl, "5s"), (stuck.Issuer, hanging.KeysUrl, LongTimeout), ("https://dead.test", $"http://127.0.0.1:{dead.Port}/keys", "5s")));
        using var client = new GatewayClient(gateway.Port, 4);

        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(fine.Mint("alice")));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 10); // a second, and patience with a loaded machine
        var refused = await RawHttp.GetAsync(gateway.Port, "/", "Authorization: Bearer " + stuck.Mint("alice"));
        Assert.Equal((401, "Jwt verification fails"), (refused.Status, refused.Body));
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        var readiness = await gateway.ReadinessAsync();
        Assert.Equal("ready", readiness.GetProperty("state").GetString());
        Assert.Equal(
            ["https://dead.test", stuck.Issuer],
            readiness.GetProperty("issuersWithoutKeys").EnumerateArray().Select(i => i.GetString()!));

        hanging.Serve(KeyServer.Set(stuck.Key)); // the request that hangs goes on hanging; it harms nobody
        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(fine.Mint("bob")));
    }

    [Fact]
    public async Task Start_WithADeadKeyServer_ServesAsSoonAsItComesUp()
    {
        var issuer = RemoteKeys.Issuer(Issuer, "a");
        await using var server = await KeyServer.StartAsync();
        server.Answer = Answer("gone");
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(RemoteKeys.Never), RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")));
        using var client = new GatewayClient(gateway.Port, 4);
        Assert.Equal(HttpStatusCode.Unauthorized, await client.GetAsync(issuer.Mint("alice")));

        server.Serve(KeyServer.Set(issuer.Key));

        await client.WaitForAsync(HttpStatusCode.OK, issuer.Mint("alice"));
        Assert.Empty((await gateway.ReadinessAsync()).GetProperty("issuersWithoutKeys").EnumerateArray());
    }

    [Fact]
    public async Task Restart_WithAStateDirectoryAndADeadKeyServer_StillVerifiesTokens()
    {
        var issuer = RemoteKeys.Issuer(Issuer, "kept");
        using var state = new TemporaryFolder();
        await using var server = await KeyServer.StartAsync(issuer.Key);
        var options = RemoteKeys.Refreshing(RemoteKeys.Never, state.Path);
        await using (await InProcessGateway.StartAsync(backend.Port, options, RemoteKeys.Policy((Issuer, server.KeysUrl, "5s"))))
        {
            Assert.Single(server.Requests);
        }

        server.Serve("", 503);
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, options, RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")));
        using var client = new GatewayClient(gateway.Port, 4);

        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(issuer.Mint("alice")));
        Assert.Equal(HttpStatusCode.Unauthorized, await client.GetAsync(RemoteKeys.Issuer(Issuer, "kept").Mint("alice")));
        await gateway.Log.WaitForAsync("are those kept on disk");
    }

    [Fact]
    public async Task Discovery_FromTheIssuer_FindsTheKeys()
    {
        await using var server = await KeyServer.StartAsync();
        var issuer = RemoteKeys.Issuer(server.Origin + "/realms/one/", "found");
        server.Serve(
            ("/realms/one/.well-known/openid-configuration", KeyServer.Text($$"""{"issuer":"{{issuer.Issuer}}","jwks_uri":"{{server.Origin}}/certs"}""")),
            ("/certs", KeyServer.Text(issuer.JwksJson)));
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(RemoteKeys.Never), RemoteKeys.Policy((issuer.Issuer, null, "5s")));
        using var client = new GatewayClient(gateway.Port, 4);

        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(issuer.Mint("alice")));
        Assert.Equal(["/realms/one/.well-known/openid-configuration", "/certs"], server.Requests.Select(r => r.Path));
    }

    private static Func<HttpContext, Task> Answer(string outage) => outage switch
    {
        "500" => FailAsync,
        "10 MiB" => FloodAsync,
        "HTML" => KeyServer.Text("<html><body>Sign in</body></html>"),
        "key set without keys" => KeyServer.Text("""{"keys":[]}"""),
        _ => HangUpAsync,
    };

    private static Task FailAsync(HttpContext context)
    {
        context.Response.StatusCode = 500;
        return Task.CompletedTask;
    }

    private static async Task FloodAsync(HttpContext context)
    {
        var chunk = new byte[64 * 1024];
        for (var sent = 0; sent < 10 * 1024 * 1024 && !context.RequestAborted.IsCancellationRequested; sent += chunk.Length)
        {
            await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
        }
    }

    private static Task HangUpAsync(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }
}
