using System.CommandLine;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Authentication;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway.Tests.Jwks;

namespace Portcullis.FunctionalTests.Commands;

public sealed class CheckOnlineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Online_OfKeyServers_ReportsTheOnesThatGiveNoKeysAtTheirLine()
    {
        var issuer = RemoteKeys.Issuer("https://fine.test", "a");
        await using var server = await KeyServer.StartAsync(issuer.Key);
        await using var page = await KeyServer.StartAsync();
        page.Answer = KeyServer.Text("<html>Sign in</html>");
        using var dead = new DeadPort();
        _folder.Write("jwt.yaml", $"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {"{name: jwt, namespace: istio-system}"}
            spec:
              jwtRules:
                - issuer: https://fine.test
                  jwksUri: {server.KeysUrl}
                - issuer: https://page.test
                  jwksUri: {page.KeysUrl}
                - issuer: https://dead.test
                  jwksUri: http://127.0.0.1:{dead.Port}/keys
            """);

        var (code, output) = await RunAsync("--online");

        Assert.Equal(1, code);
        Assert.DoesNotContain($"no keys from `{server.KeysUrl}`", output, StringComparison.Ordinal);
        Assert.Contains($"jwt.yaml:9:16: error PC2004: spec.jwtRules[1].jwksUri: no keys from `{page.KeysUrl}`", output, StringComparison.Ordinal);
        Assert.Contains($"jwt.yaml:11:16: error PC2004: spec.jwtRules[2].jwksUri: no keys from `http://127.0.0.1:{dead.Port}/keys`", output, StringComparison.Ordinal);
        var (offline, silent) = await RunAsync();
        Assert.Equal(0, offline);
        Assert.DoesNotContain("no keys from", silent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("portcullis.io/jwks-prxy: http://proxy.example:3128", "`portcullis.io/jwks-proxy`")]
    [InlineData("portcullis.io/remove-token-cookie: \"yes\"", "\"true\"")]
    [InlineData("portcullis.io/jwks-ca: no certificate", "portcullis.io/jwks-ca")]
    public async Task Annotation_ThatIsMisspeltOrWrong_IsReported(string annotation, string expected)
    {
        _folder.Write("jwt.yaml", $"""
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata:
              name: jwt
              namespace: istio-system
              annotations:
                {annotation}
            spec:
              jwtRules:
                - issuer: https://fine.test
                  jwksUri: https://fine.test/keys
            """);

        var (_, output) = await RunAsync();

        Assert.Contains("metadata.annotations[portcullis.io/", output, StringComparison.Ordinal);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var command = CheckCommand.Create(CompileCheck.Run, (set, _, _) => AnnotationCheck.Run(set));
        var code = await command.Parse(["-f", _folder.Path, .. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = output }, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
