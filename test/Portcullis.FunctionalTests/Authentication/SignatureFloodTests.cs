using System.Net;
using Portcullis.FunctionalTests.Support;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Authentication;

/// <summary>Bad signatures by the thousand from one address, each a token of its own, at the real executable, where requests run on the threads that poll sockets.</summary>
public sealed class SignatureFloodTests
{
    private const int Connections = 32;
    private const int Flood = 4000;

    private static readonly TokenIssuer Issuer = new("https://issuer.test", JwsAlgorithm.ES256, "k1");

    private static readonly string Policy = $$"""
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec:
          jwtRules: [{issuer: "https://issuer.test", jwks: '{{Issuer.JwksJson}}'}]
        """;

    [Fact]
    public async Task BadSignatures_AreAllTurnedAway_AndGoodTokensPassMeanwhileAndAfter()
    {
        await using var gateway = await RunningGateway.StartAsync("", ("jwt.yaml", Policy));
        using var client = new GatewayClient(gateway.Port, Connections + 1);
        var known = Issuer.Mint("alice");
        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(known));
        var next = 0;

        var flood = Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            var answers = new HashSet<HttpStatusCode>();
            while (Interlocked.Increment(ref next) is var i && i <= Flood)
            {
                answers.Add(await client.GetAsync(Issuer.Mint($"mallory-{i}")[..^8] + "AAAAAAAA"));
            }

            return answers;
        })).ToArray();
        var passed = 0;
        while (!flood.All(f => f.IsCompleted))
        {
            Assert.Equal(HttpStatusCode.OK, await client.GetAsync(known));
            passed++;
        }

        var seen = new HashSet<HttpStatusCode>();
        foreach (var one in flood)
        {
            seen.UnionWith(await one);
        }

        Assert.True(passed > 0, "no good token met the flood");
        // Fewer wait here than the lane takes: all were looked at.
        Assert.Equal([HttpStatusCode.Unauthorized], seen);
        // From the same address, and never seen before.
        Assert.Equal(HttpStatusCode.OK, await client.GetAsync(Issuer.Mint("bob")));
    }
}
