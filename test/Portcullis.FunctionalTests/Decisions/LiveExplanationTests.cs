using System.Text.Json;
using Portcullis.FunctionalTests.Support;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Decisions;

/// <summary>From the header of a refusal to its reason, with the real executable on both ends.</summary>
public sealed class LiveExplanationTests
{
    private const string Header = "x-portcullis-decision-id";

    private readonly TokenIssuer _issuer = new();

    [Fact]
    public async Task Refusals_OfARunningGateway_AreExplainedByTheIdInTheirHeader()
    {
        await using var gateway = await RunningGateway.StartAsync(
            "accessLogFile: /dev/stdout\naccessLogFormat: \"%RESPONSE_CODE% %REQ(:PATH)% id=%DECISION_ID%\\n\"\n",
            ("jwt.yaml", Authentication()),
            ("policy.yaml", Samples.GuideStep("2-issuer-and-subject.yaml")));
        var token = _issuer.Mint();
        var expired = _issuer.Mint("demo@asm.test.io", DateTimeOffset.UnixEpoch.AddDays(1));

        var denied = await RawHttp.GetAsync(gateway.Port, "/get/../orders?x=1", $"Authorization: Bearer {token}", $"{Header}: mine");
        var refused = await RawHttp.GetAsync(gateway.Port, "/?jwt=1", $"Authorization: Bearer {expired}");
        var passed = await RawHttp.GetAsync(gateway.Port, "/get", $"Authorization: Bearer {_issuer.Mint("demo@asm.test.io")}");

        Assert.Equal((401, 401, 200), (denied.Status, refused.Status, passed.Status));
        Assert.Null(passed.Header(Header));
        var id = denied.Header(Header)!;
        Assert.Matches("^[0-9a-z]{16}$", id);
        await gateway.Process.WaitForLineAsync($"401 /get/../orders?x=1 id={id}");

        var (code, text, error) = await ExplainAsync(gateway, id);
        Assert.Equal((1, ""), (code, error));
        Assert.StartsWith($"Decision {id}", text, StringComparison.Ordinal);
        Assert.Contains("requestPrincipals = \"testing@asm.test.io/\", wanted \"testing@asm.test.io/demo@asm.test.io\"", text, StringComparison.Ordinal);
        Assert.Contains("policy.yaml:15", text, StringComparison.Ordinal);
        Assert.Contains("path: /orders", text, StringComparison.Ordinal);
        Assert.DoesNotContain("note:", text, StringComparison.Ordinal);

        (code, text, _) = await ExplainAsync(gateway, refused.Header(Header)!, "--output", "json");
        using (var json = JsonDocument.Parse(text))
        {
            Assert.Equal(1, code);
            Assert.Equal("TokenRefused", json.RootElement.GetProperty("decision").GetProperty("outcome").GetString());
            Assert.Contains("`exp` is 1970-01-02", json.RootElement.GetProperty("decision").GetProperty("identity").GetProperty("note").GetString(), StringComparison.Ordinal);
            Assert.Equal(text.Trim(), (await RawHttp.GetAsync(gateway.AdminPort, $"/decisions/{refused.Header(Header)}")).Body.Trim());
        }

        var all = (await RawHttp.GetAsync(gateway.AdminPort, "/decisions")).Body;
        Assert.All([token, expired, token.Split('.')[1], expired.Split('.')[2]], secret => Assert.DoesNotContain(secret, all + text, StringComparison.Ordinal));

        await gateway.ApplyAsync(() => gateway.Delete("policy.yaml"));
        (_, text, _) = await ExplainAsync(gateway, id);
        Assert.Contains("generation 1 → 2; this is what the older one, which decided, says", text, StringComparison.Ordinal);
        Assert.Contains("REFUSED  401", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Id_ThatIsNotKeptOrAnotherPort_EndsWithTwoAndTheRemedy()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");

        var (code, _, error) = await ExplainAsync(gateway, "0000000000000000");
        Assert.Equal(2, code);
        Assert.Contains("has made room for newer ones", error, StringComparison.Ordinal);

        (code, _, error) = await PortcullisProcess.RunAsync("explain", "--id", "0000000000000000", "--admin", $"http://127.0.0.1:{gateway.StatusPort}");
        Assert.Equal(2, code);
        Assert.Contains("is it the right port?", error, StringComparison.Ordinal);

        using var dead = new DeadPort();
        (code, _, error) = await PortcullisProcess.RunAsync("explain", "--id", "0000000000000000", "--admin", $"127.0.0.1:{dead.Port}");
        Assert.Equal(2, code);
        Assert.Contains("is the gateway running there", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Decisions_Followed_AreListedAsTheyAreMade()
    {
        await using var gateway = await RunningGateway.StartAsync("{}", ("policy.yaml", Samples.GuideStep("1-require-jwt.yaml")));
        await RawHttp.GetAsync(gateway.Port, "/before");
        await using var listing = PortcullisProcess.Start("decisions", "--follow", "--outcome", "denied", "--admin", $"http://127.0.0.1:{gateway.AdminPort}");
        await listing.WaitForLineAsync("/before");

        await RawHttp.GetAsync(gateway.Port, "/healthz");
        await RawHttp.GetAsync(gateway.Port, "/after");

        Assert.Contains("refused  403", await listing.WaitForLineAsync("/after"), StringComparison.Ordinal);
        Assert.Equal(1, listing.CountLines("/before"));
        Assert.DoesNotContain("/healthz", listing.StandardOutput, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output, string Error)> ExplainAsync(RunningGateway gateway, string id, params string[] more) =>
        PortcullisProcess.RunAsync(["explain", "--id", id, "--admin", $"http://127.0.0.1:{gateway.AdminPort}", .. more]);

    private string Authentication() => $$"""
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata: {name: jwt, namespace: istio-system}
        spec: {jwtRules: [{issuer: testing@asm.test.io, jwks: '{{_issuer.JwksJson}}'}]}
        """;
}
