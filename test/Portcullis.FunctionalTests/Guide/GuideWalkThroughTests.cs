using Portcullis.FunctionalTests.Support;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Guide;

/// <summary>The guide, step by step, with the real executable on real sockets: each answer to the header.</summary>
public sealed class GuideWalkThroughTests
{
    private const string Issuer = "testing@asm.test.io";
    private const string Subject = "demo@asm.test.io";
    private const string IstioExact = """
        authorizationDenied: Forbidden
        principalWithoutSub: Reject
        denyPathReadings: Exact
        """;

    private readonly TokenIssuer _issuer = new(Issuer);

    [Fact]
    public async Task Guide_FromRequestAuthenticationToIssuerAndSubject_AnswersAsWritten()
    {
        await using var gateway = await StartAsync("{}");
        var issuerOnly = Bearer(_issuer.Mint());
        var withSubject = Bearer(_issuer.Mint(Subject));

        // RequestAuthentication alone: a valid token, an invalid one, none.
        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/", issuerOnly)).Status);
        await AssertNotAJwtAsync(gateway);
        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/")).Status);

        // ALLOW for any request principal, applied while it runs.
        await gateway.ApplyAsync(() => gateway.Write("policy.yaml", Samples.GuideStep("1-require-jwt.yaml")));
        await AssertChallengedAsync(gateway, "Jwt is missing");
        await AssertNotAJwtAsync(gateway);
        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/", issuerOnly)).Status);
        await AssertHealthPathsAreExemptAsync(gateway);

        // ALLOW for one issuer and subject.
        await gateway.ApplyAsync(() => gateway.Write("policy.yaml", Samples.GuideStep("2-issuer-and-subject.yaml")));
        await AssertChallengedAsync(gateway, "RBAC: access denied", issuerOnly);
        await AssertChallengedAsync(gateway, "Jwt is missing");
        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/", withSubject)).Status);
        await AssertHealthPathsAreExemptAsync(gateway);
    }

    [Fact]
    public async Task Guide_InIstioExactMode_AnswersAsIstioDoes()
    {
        await using var gateway = await StartAsync(IstioExact);
        var issuerOnly = Bearer(_issuer.Mint());
        var withSubject = Bearer(_issuer.Mint(Subject));

        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/", issuerOnly)).Status);
        await AssertNotAJwtAsync(gateway);
        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/")).Status);

        // Istio's `*` needs a subject, and a denied request is 403 without a challenge.
        await gateway.ApplyAsync(() => gateway.Write("policy.yaml", Samples.GuideStep("1-require-jwt.yaml")));
        await AssertForbiddenAsync(gateway);
        await AssertForbiddenAsync(gateway, issuerOnly);
        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/", withSubject)).Status);

        await gateway.ApplyAsync(() => gateway.Write("policy.yaml", Samples.GuideStep("2-issuer-and-subject.yaml")));
        await AssertForbiddenAsync(gateway);
        await AssertForbiddenAsync(gateway, issuerOnly);
        Assert.Equal(200, (await RawHttp.HeadAsync(gateway.Port, "/", withSubject)).Status);
        await AssertHealthPathsAreExemptAsync(gateway);
    }

    [Fact]
    public async Task Tokens_OfTheTroubleshootingTable_EachGetTheirOwnText()
    {
        var now = TimeProvider.System.GetUtcNow();
        var otherKey = new TokenIssuer(Issuer, JsonWebKey.Generate(JwsAlgorithm.RS256, _issuer.Key.KeyId));
        var otherKid = new TokenIssuer(Issuer, JsonWebKey.Generate(JwsAlgorithm.RS256, "another"));
        await using var gateway = await StartAsync("{}", audiences: "[\"orders\"]");

        await AssertRefusedAsync(gateway, 401, "Jwt is expired", _issuer.Mint(Subject, now.AddMinutes(-5), ("aud", "orders")));
        await AssertRefusedAsync(gateway, 401, "Jwt issuer is not configured", new TokenIssuer("somebody@else.example", _issuer.Key).Mint(("aud", "orders")));
        await AssertRefusedAsync(gateway, 401, "Jwt verification fails", otherKey.Mint(("aud", "orders")));
        await AssertRefusedAsync(gateway, 401, "Jwks doesn't have key to match kid or alg from Jwt", otherKid.Mint(("aud", "orders")));
        await AssertRefusedAsync(gateway, 401, "Jwt not yet valid", _issuer.Mint(("aud", "orders"), ("nbf", now.AddMinutes(5).ToUnixTimeSeconds())));
        // Envoy's answer to a token for somebody else is 403, with the challenge.
        await AssertRefusedAsync(gateway, 403, "Audiences in Jwt are not allowed", _issuer.Mint(("aud", "billing")));
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/get", Bearer(_issuer.Mint(("aud", "orders"))))).Status);
    }

    private Task<RunningGateway> StartAsync(string meshConfig, string audiences = "[]") => RunningGateway.StartAsync(
        meshConfig,
        ("request-authentication.yaml", $$"""
            apiVersion: security.istio.io/v1beta1
            kind: RequestAuthentication
            metadata:
              name: jwt
              namespace: istio-system
            spec:
              selector:
                matchLabels:
                  istio: ingressgateway
              jwtRules:
                - issuer: {{Issuer}}
                  audiences: {{audiences}}
                  jwks: '{{_issuer.JwksJson}}'
            """));

    private static string Bearer(string token) => "Authorization: Bearer " + token;

    private static async Task AssertNotAJwtAsync(RunningGateway gateway)
    {
        var head = await RawHttp.HeadAsync(gateway.Port, "/", Bearer("invalidToken"));

        Assert.Equal(401, head.Status);
        Assert.Equal($"Bearer realm=\"http://127.0.0.1:{gateway.Port}/\", error=\"invalid_token\"", head.Header("www-authenticate"));
        Assert.Equal("79", head.Header("content-length"));
        Assert.Equal("text/plain", head.Header("content-type"));
        Assert.Equal("portcullis", head.Header("server"));
        Assert.NotNull(head.Header("date"));
        var get = await RawHttp.GetAsync(gateway.Port, "/", Bearer("invalidToken"));
        Assert.Equal("Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections", get.Body);
    }

    private static async Task AssertChallengedAsync(RunningGateway gateway, string body, params string[] headers)
    {
        var response = await RawHttp.GetAsync(gateway.Port, "/", headers);

        Assert.Equal((401, body), (response.Status, response.Body));
        Assert.Equal($"Bearer realm=\"http://127.0.0.1:{gateway.Port}/\", error=\"invalid_token\"", response.Header("www-authenticate"));
        Assert.Equal("text/plain", response.Header("content-type"));
    }

    private static async Task AssertForbiddenAsync(RunningGateway gateway, params string[] headers)
    {
        var response = await RawHttp.GetAsync(gateway.Port, "/", headers);

        Assert.Equal((403, "RBAC: access denied"), (response.Status, response.Body));
        Assert.Equal("19", response.Header("content-length"));
        Assert.Null(response.Header("www-authenticate"));
    }

    private static async Task AssertRefusedAsync(RunningGateway gateway, int status, string body, string token)
    {
        var response = await RawHttp.GetAsync(gateway.Port, "/get?x=1", Bearer(token));

        Assert.Equal((status, body), (response.Status, response.Body));
        Assert.Equal($"Bearer realm=\"http://127.0.0.1:{gateway.Port}/get?x=1\", error=\"invalid_token\"", response.Header("www-authenticate"));
    }

    private static async Task AssertHealthPathsAreExemptAsync(RunningGateway gateway)
    {
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/healthz")).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/readyz")).Status);
        Assert.NotEqual(200, (await RawHttp.GetAsync(gateway.Port, "/healthz/../get")).Status);
    }
}
