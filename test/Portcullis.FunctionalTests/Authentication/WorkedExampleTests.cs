using System.Text.Json;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway;
using Portcullis.Gateway.Tests.Jwks;

namespace Portcullis.FunctionalTests.Authentication;

/// <summary>
/// Every worked example of request authentication against a whole gateway on real sockets, in Istio-exact mode and in ours: the answer, the identity in the access log,
/// and the request as the backend gets it.
/// </summary>
public sealed class WorkedExampleTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string Mesh = """
        accessLogFile: ${access-log}
        accessLogFormat: "%CLAIM(iss)% %CLAIM(sub)%\n"
        defaultConfig: {gatewayTopology: {numTrustedProxies: 1}}

        """;

    private const string Exact = """
        authorizationDenied: Forbidden
        principalWithoutSub: Reject
        denyPathReadings: Exact
        """;

    public static TheoryData<string> Names => [.. WorkedExample.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Gateway_WorkedExample_AnswersAsWritten(string name)
    {
        var example = WorkedExample.Get(name);
        using var dead = new DeadPort();
        await using var keyServer = await KeyServer.StartAsync();
        var (urls, paths) = (new Dictionary<string, string>(), new List<(string, Func<Microsoft.AspNetCore.Http.HttpContext, Task>)>());
        foreach (var (url, keySet) in example.KeyServers)
        {
            var path = new Uri(url).AbsolutePath;
            urls[url] = (keySet is null ? $"http://127.0.0.1:{dead.Port}" : keyServer.Origin) + path;
            paths.Add((path, KeyServer.Text(keySet ?? "")));
        }

        keyServer.Serve([.. paths]);
        var options = new InProcessOptions { Mesh = example.IsExact ? Mesh + Exact : Mesh, Time = new FixedClock(WorkedExample.Now) };
        if (example.Expect.TryGetProperty("accepted", out _))
        {
            await Assert.ThrowsAsync<ConfigurationException>(() => InProcessGateway.StartAsync(backend.Port, options, example.Files(urls)));
            return;
        }

        await using var gateway = await InProcessGateway.StartAsync(backend.Port, options, example.Files(urls));
        for (var round = 0; round < 2; round++) // the second time with the token remembered
        {
            AssertAnswer(example, await example.SendAsync(gateway.Port));
        }

        AssertIdentity(example, await gateway.StopAndReadAccessLogAsync());
    }

    private static void AssertAnswer(WorkedExample example, RawResponse response)
    {
        var expect = example.Expect;
        if (expect.TryGetProperty("grpcStatus", out var grpc))
        {
            Assert.Equal((200, "application/grpc"), (response.Status, response.Header("content-type")));
            Assert.Equal(grpc.GetInt32().ToString(System.Globalization.CultureInfo.InvariantCulture), response.Header("grpc-status"));
            Assert.Equal(expect.GetProperty("grpcMessage").GetString(), response.Header("grpc-message"));
            Assert.EndsWith("error=\"invalid_token\"", response.Header("www-authenticate"), StringComparison.Ordinal);
            Assert.Empty(response.Body);
            return;
        }

        Assert.Equal(expect.GetProperty("status").GetInt32(), response.Status);
        if (response.Status == 400)
        {
            Assert.Empty(response.Body);
            return;
        }

        if (response.Status != 200)
        {
            AssertRefusal(expect, response);
            return;
        }

        var upstream = EchoedRequest.Of(response);
        foreach (var header in expect.TryGetProperty("headers", out var headers) ? headers.EnumerateObject().ToArray() : [])
        {
            Assert.Equal(header.Value.EnumerateArray().Select(v => example.Fill(v.GetString()!)), upstream.Lines(header.Name));
        }

        if (expect.TryGetProperty("path", out var path))
        {
            Assert.Equal(example.Fill(path.GetString()!), upstream.Target);
        }

        if (expect.TryGetProperty("routeMatches", out var matches))
        {
            Assert.Equal(matches.GetBoolean() ? "matched" : "default", Assert.Single(upstream.Lines("x-route")));
        }
    }

    private static void AssertRefusal(JsonElement expect, RawResponse response)
    {
        Assert.Equal(expect.GetProperty("body").GetString(), response.Body);
        Assert.Equal("text/plain", response.Header("content-type"));
        Assert.Equal(response.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), response.Header("content-length"));
        var challenge = response.Header("www-authenticate")!;
        Assert.StartsWith("Bearer realm=\"http", challenge, StringComparison.Ordinal);
        Assert.Equal(expect.GetProperty("challengeError").GetBoolean(), challenge.EndsWith(", error=\"invalid_token\"", StringComparison.Ordinal));
        if (expect.TryGetProperty("realm", out var realm))
        {
            Assert.Equal($"Bearer realm=\"{realm.GetString()}\", error=\"invalid_token\"", challenge);
        }
    }

    private static void AssertIdentity(WorkedExample example, string[] accessLog)
    {
        Assert.Equal(2, accessLog.Length);
        var expected = "- -";
        if (example.Expect.TryGetProperty("identity", out var identity) && identity.ValueKind == JsonValueKind.Object)
        {
            expected = $"{identity.GetProperty("issuer").GetString() ?? "-"} {identity.GetProperty("subject").GetString() ?? "-"}";
        }

        if (!example.Expect.TryGetProperty("routeMatches", out _))
        {
            Assert.All(accessLog, line => Assert.Equal(expected, line));
        }
    }
}
