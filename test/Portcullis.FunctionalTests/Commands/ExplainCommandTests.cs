using System.CommandLine;
using System.Text.Json;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Support;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Commands;

public sealed class ExplainCommandTests : IDisposable
{
    private const string Issuer = "testing@asm.test.io";

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _mesh = new();
    private readonly TokenIssuer _issuer = new(Issuer);

    public ExplainCommandTests()
    {
        foreach (var (file, yaml) in Samples.Guide(8000))
        {
            _folder.Write(file, yaml);
        }

        _folder.Write("policy.yaml", Samples.GuideStep("2-issuer-and-subject.yaml"));
        _folder.Write("jwt.yaml", $$"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: {{Issuer}}, jwks: '{{_issuer.JwksJson}}'}]}
            """);
    }

    public void Dispose()
    {
        _folder.Dispose();
        _mesh.Dispose();
    }

    [Fact]
    public void Refused_NamesTheNearMissItsLineAndTheSmallestChange()
    {
        var (code, output) = Run("--request", "GET http://shop.example/get/../orders?x=1", "--as", $$"""{"iss":"{{Issuer}}"}""");

        Assert.Equal(1, code);
        Assert.StartsWith("REFUSED  401", output, StringComparison.Ordinal);
        Assert.Contains($"requestPrincipals = \"{Issuer}/\", wanted \"{Issuer}/demo@asm.test.io\"", output, StringComparison.Ordinal);
        Assert.Contains("policy.yaml:15", output, StringComparison.Ordinal);
        Assert.Contains("Smallest change that would allow it", output, StringComparison.Ordinal);
        Assert.Contains("path: /orders", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
    }

    [Fact]
    public void Allowed_NamesThePolicyAndTheRoute()
    {
        var (code, output) = Run("--request", "GET http://shop.example/get", "--token", _issuer.Mint("demo@asm.test.io"));

        Assert.Equal(0, code);
        Assert.StartsWith("ALLOWED", output, StringComparison.Ordinal);
        Assert.Contains("ns[istio-system]-policy[require-jwt]-rule[0]", output, StringComparison.Ordinal);
        Assert.Contains("outbound|8000||httpbin.default.svc.cluster.local", output, StringComparison.Ordinal);
    }

    [Fact]
    public void BadToken_IsRefusedByTheTokenStageBeforeAnyPolicy()
    {
        var token = TokenIssuer.BreakSignature(_issuer.Mint("demo@asm.test.io"));

        var (code, output) = Run("--request", "GET http://shop.example/healthz", "--token", token);

        Assert.Equal(1, code);
        Assert.Contains("Jwt verification fails", output, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('.')[2], output, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_HoldsTheWholeTree()
    {
        var (_, output) = Run("--request", "GET http://shop.example/healthz", "--output", "json");

        using var json = JsonDocument.Parse(output);
        var decision = json.RootElement.GetProperty("decision");
        Assert.Equal("Allowed", decision.GetProperty("outcome").GetString());
        Assert.Equal("ns[istio-system]-policy[require-jwt]-rule[1]", decision.GetProperty("policyId").GetString());
        Assert.NotEmpty(decision.GetProperty("policies").EnumerateArray());
    }

    [Theory]
    [InlineData("--request", "nonsense")]
    [InlineData("--request", "GET http://shop.example/", "--as", "{")]
    [InlineData("--request", "GET http://shop.example/", "--source-ip", "1.2.3")]
    public void WrongUsage_EndsWithTwoAndSaysWhatToWrite(params string[] arguments)
    {
        var (code, output) = Run(arguments);

        Assert.NotEqual(0, code);
        Assert.NotEmpty(output);
    }

    [Fact]
    public void CustomPolicy_NamesTheAuthorizerAndExplainsTheRest()
    {
        var mesh = Ask("envoyExtAuthzHttp: {service: httpbin.default.svc.cluster.local, port: 8000}");

        var (code, output) = Run("--mesh-config", mesh, "--request", "GET http://shop.example/asked", "--as", $$"""{"iss":"{{Issuer}}","sub":"demo@asm.test.io"}""");

        Assert.Equal(0, code);
        Assert.StartsWith("DEPENDS  forwarded", output, StringComparison.Ordinal);
        Assert.Contains("why: if the external authorizer `p` allows it: allowed by ns[istio-system]-policy[require-jwt]-rule[0]", output, StringComparison.Ordinal);
        Assert.Contains("asks: `p` (http httpbin.default.svc.cluster.local:8000), because ns[istio-system]-policy[ask]-rule[0] matches", output, StringComparison.Ordinal);
        Assert.Contains("it fails: 403 with an empty body", output, StringComparison.Ordinal);

        var (refused, text) = Run("--mesh-config", mesh, "--request", "GET http://shop.example/asked");
        Assert.Equal(1, refused);
        Assert.StartsWith("REFUSED  401", text, StringComparison.Ordinal);
        Assert.Contains("why: if the external authorizer `p` allows it: ALLOW policies are attached and none of them matches", text, StringComparison.Ordinal);

        var (_, json) = Run("--mesh-config", mesh, "--request", "GET http://shop.example/asked", "--output", "json");
        Assert.Equal("p", JsonElement.Parse(json).GetProperty("decision").GetProperty("externalChecks")[0].GetProperty("provider").GetString());
    }

    [Fact]
    public void CustomPolicy_WhoseAuthorizerCannotBeAsked_Denies()
    {
        var (code, output) = Run("--mesh-config", Ask("envoyExtAuthzGrpc: {service: nowhere.test, port: 1}"), "--request", "GET http://shop.example/asked");

        Assert.Equal(1, code);
        Assert.StartsWith("REFUSED  403", output, StringComparison.Ordinal);
        Assert.Contains("its external authorizer `p` cannot be asked, because `nowhere.test` is no Service or ServiceEntry that the gateway sees", output, StringComparison.Ordinal);
    }

    private string Ask(string provider)
    {
        _folder.Write("ask.yaml", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: ask, namespace: istio-system}
            spec: {action: CUSTOM, provider: {name: p}, rules: [{to: [{operation: {paths: [/asked]}}]}]}
            """);
        return _mesh.Write("mesh.yaml", $"extensionProviders: [{{name: p, {provider}}}]");
    }

    private (int Code, string Output) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var code = ExplainCommand.Create().Parse(["-f", _folder.Path, .. arguments]).Invoke(new InvocationConfiguration { Output = output, Error = output });
        return (code, output.ToString());
    }
}
