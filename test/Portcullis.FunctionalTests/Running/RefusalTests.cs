using Portcullis.FunctionalTests.Support;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Running;

/// <summary>What the gateway's own refusals carry, and what they do not.</summary>
public sealed class RefusalTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string Exact = "{authorizationDenied: Forbidden, principalWithoutSub: Reject, denyPathReadings: Exact}";
    private const string Origin = "Origin: https://shop.example";

    private const string Cors = """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: httpbin, namespace: default}
        spec:
          gateways: [httpbin-gateway]
          hosts: ['*']
          http:
            - corsPolicy: {allowOrigins: [{exact: "https://shop.example"}], allowCredentials: true}
              route: [{destination: {host: httpbin, port: {number: 8000}}}]
        """;

    private readonly TokenIssuer _issuer = new();

    [Fact]
    public async Task Refusal_OfAnAllowedOrigin_CanBeReadByItsPage()
    {
        await using var gateway = await StartAsync("{}");

        var unauthorized = await RawHttp.GetAsync(gateway.Port, "/", Origin, "Authorization: Bearer nonsense");
        Assert.Equal((401, "https://shop.example"), (unauthorized.Status, unauthorized.Header("access-control-allow-origin")));
        Assert.Equal("true", unauthorized.Header("access-control-allow-credentials"));
        var forbidden = await RawHttp.GetAsync(gateway.Port, "/denied", Origin);
        Assert.Equal((403, "https://shop.example"), (forbidden.Status, forbidden.Header("access-control-allow-origin")));
        var stranger = await RawHttp.GetAsync(gateway.Port, "/denied", "Origin: https://evil.example");
        Assert.Equal((403, null), (stranger.Status, stranger.Header("access-control-allow-origin")));
    }

    [Fact]
    public async Task Refusal_InExactMode_HasNoCorsHeadersAsAtIstio()
    {
        await using var gateway = await StartAsync(Exact);

        var response = await RawHttp.GetAsync(gateway.Port, "/denied", Origin);

        Assert.Equal((403, null), (response.Status, response.Header("access-control-allow-origin")));
        var unauthorized = await RawHttp.GetAsync(gateway.Port, "/", Origin, "Authorization: Bearer nonsense");
        Assert.Equal((401, null), (unauthorized.Status, unauthorized.Header("access-control-allow-origin")));
    }

    [Fact]
    public async Task Preflight_PassesTheTokenStageEvenWithABadToken()
    {
        await using var gateway = await StartAsync("{}");

        var response = await RawHttp.SendAsync(gateway.Port, "OPTIONS", "/", Origin, "Access-Control-Request-Method: POST", "Authorization: Bearer nonsense");

        Assert.Equal((200, "https://shop.example"), (response.Status, response.Header("access-control-allow-origin")));
    }

    [Fact]
    public async Task Realm_OfATokenInTheQuery_DoesNotRepeatIt()
    {
        await using var gateway = await StartAsync("{}");
        var token = TokenIssuer.BreakSignature(_issuer.Mint());

        var response = await RawHttp.GetAsync(gateway.Port, $"/orders?access_token={token}");

        Assert.Equal(401, response.Status);
        Assert.Equal($"Bearer realm=\"http://127.0.0.1:{gateway.Port}/orders\", error=\"invalid_token\"", response.Header("www-authenticate"));
    }

    [Fact]
    public async Task Realm_NeverComesFromAClientsHeader()
    {
        await using var gateway = await StartAsync("{}");

        var response = await RawHttp.GetAsync(gateway.Port, "/real", "X-Envoy-Original-Path: /forged", "Authorization: Bearer nonsense");

        Assert.Contains("/real\"", response.Header("www-authenticate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Claim_OutsideOfAscii_ReachesTheBackendAsUtf8()
    {
        await using var gateway = await StartAsync("{}", ("jwt.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: "{{_issuer.Issuer}}", jwks: '{{_issuer.JwksJson}}', outputClaimToHeaders: [{header: x-name, claim: name}]}]}
            """));

        var response = await RawHttp.GetAsync(gateway.Port, "/", "Authorization: Bearer " + _issuer.Mint(("name", "Zoë €")));

        // RawHttp shows each byte as one character.
        var utf8 = System.Text.Encoding.Latin1.GetString(System.Text.Encoding.UTF8.GetBytes("Zoë €"));
        Assert.Equal(utf8, Assert.Single(EchoedRequest.Of(response).Lines("x-name")));
    }

    [Fact]
    public async Task BackendThatWantsTls_IsNeverSpokenToInClear()
    {
        await using var gateway = await StartAsync("{}", ("rule.yaml", """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: tls, namespace: default}
            spec: {host: httpbin, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 0.1s} }, tls: {mode: SIMPLE} }}
            """));

        Assert.Equal(503, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
    }

    private Task<InProcessGateway> StartAsync(string mesh, params (string, string)[] more) => InProcessGateway.StartAsync(
        backend.Port,
        new InProcessOptions { Mesh = mesh },
        [
            ("virtual-service.yaml", Cors),
            ("jwt.yaml", $$"""
                apiVersion: security.istio.io/v1
                kind: RequestAuthentication
                metadata: {name: jwt, namespace: istio-system}
                spec: {jwtRules: [{issuer: "{{_issuer.Issuer}}", jwks: '{{_issuer.JwksJson}}'}]}
                """),
            ("deny.yaml", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: deny, namespace: istio-system}
                spec: {action: DENY, rules: [{to: [{operation: {paths: [/denied]}}]}]}
                """),
            .. more,
        ]);
}
