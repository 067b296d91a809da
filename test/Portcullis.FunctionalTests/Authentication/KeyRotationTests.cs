using System.Buffers.Text;
using System.Net;
using System.Text;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.Tests.Jwks;

namespace Portcullis.FunctionalTests.Authentication;

/// <summary>Keys that change while requests come, and tokens that pretend they had.</summary>
public sealed class KeyRotationTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string Issuer = "https://issuer.test";
    private const string KeysInForce = "are in force: generation";
    private const int Connections = 64;

    [Fact]
    public async Task Rotation_UnderLoad_RefusesNoTokenOfAPublishedKeyAndEveryOneOfARemovedKey()
    {
        var issuers = Enumerable.Range(0, 7).Select(i => RemoteKeys.Issuer(Issuer, $"key-{i}")).ToArray();
        var tokens = issuers.Select(i => i.Mint("alice")).ToArray();
        await using var server = await KeyServer.StartAsync(issuers[0].Key, issuers[1].Key);
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(TimeSpan.FromMilliseconds(500)), RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")));
        using var client = new GatewayClient(gateway.Port, Connections);
        using var done = new CancellationTokenSource();
        var current = 0;
        var (accepted, refused) = (0, 0);
        var load = Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                Interlocked.Increment(ref await client.GetAsync(tokens[Volatile.Read(ref current)]) == HttpStatusCode.OK ? ref accepted : ref refused);
            }
        })).ToArray();

        for (var next = 1; next < issuers.Length - 1; next++)
        {
            // A key is published two refreshes before its first token, and stays for one rotation after its last.
            await server.WaitForRequestsAsync(server.Requests.Count + 2);
            Volatile.Write(ref current, next);
            var generation = gateway.Log.Count(KeysInForce);
            server.Serve(KeyServer.Set(issuers[(next - 1)..(next + 2)].Select(i => i.Key)));
            await gateway.Log.WaitForAsync(KeysInForce, generation + 1);
            if (next > 1)
            {
                Assert.Equal(HttpStatusCode.Unauthorized, await client.GetAsync(tokens[next - 2]));
            }
        }

        await done.CancelAsync();
        await Task.WhenAll(load);
        Assert.Equal(0, refused);
        Assert.True(accepted > 10 * Connections, $"only {accepted} requests");
    }

    [Fact]
    public async Task RandomKeyIds_TenThousandOfThem_CauseOneExtraFetch()
    {
        var issuer = RemoteKeys.Issuer(Issuer, "known");
        await using var server = await KeyServer.StartAsync(issuer.Key);
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(RemoteKeys.Never), RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")));
        using var client = new GatewayClient(gateway.Port, Connections);

        var answers = await FloodAsync(client, 10_000);

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Unauthorized, a));
        await server.WaitForRequestsAsync(2);
        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(issuer.Mint("alice")));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Rotation_InAFloodOfRandomKeyIds_IsSeenWithinAnIntervalAndTheServerIsSpared()
    {
        var interval = TimeSpan.FromMilliseconds(500);
        var (old, next) = (RemoteKeys.Issuer(Issuer, "old"), RemoteKeys.Issuer(Issuer, "next"));
        await using var server = await KeyServer.StartAsync(old.Key);
        var started = TimeProvider.System.GetTimestamp();
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(interval), RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")));
        using var client = new GatewayClient(gateway.Port, Connections);
        using var done = new CancellationTokenSource();
        var flood = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await FloodAsync(client, Connections / 2);
            }
        }, TestContext.Current.CancellationToken);

        await server.WaitForRequestsAsync(4);
        var before = server.Requests.Count;
        server.Serve(KeyServer.Set(old.Key, next.Key));
        await client.WaitForAsync(HttpStatusCode.OK, next.Mint("alice"));

        // The first fetch that begins after the change brings the key; one may have been on its way.
        Assert.InRange(server.Requests.Count - before, 1, 3);
        await done.CancelAsync();
        await flood;
        var intervals = TimeProvider.System.GetElapsedTime(started) / interval;
        Assert.InRange(gateway.Log.Count("names a key that"), 1, (int)intervals + 1);
    }

    [Fact]
    public async Task UnknownKeyId_OfANewKey_BringsItLongBeforeTheNextRefresh()
    {
        var (old, next) = (RemoteKeys.Issuer(Issuer, "old"), RemoteKeys.Issuer(Issuer, "next"));
        await using var server = await KeyServer.StartAsync(old.Key);
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, RemoteKeys.Refreshing(RemoteKeys.Never), RemoteKeys.Policy((Issuer, server.KeysUrl, "5s")));
        using var client = new GatewayClient(gateway.Port, 1);
        server.Serve(KeyServer.Set(old.Key, next.Key));

        await client.WaitForAsync(HttpStatusCode.OK, next.Mint("alice"));

        Assert.Equal(2, server.Requests.Count);
    }

    private static Task<HttpStatusCode[]> FloodAsync(GatewayClient client, int count)
    {
        var payload = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"iss":"{{Issuer}}"}"""));
        var signature = Base64Url.EncodeToString(new byte[64]);
        return Task.WhenAll(Enumerable.Range(0, count).Select(_ =>
        {
            var header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"ES256","kid":"{{Guid.NewGuid()}}"}"""));
            return client.GetAsync($"{header}.{payload}.{signature}");
        }));
    }
}
