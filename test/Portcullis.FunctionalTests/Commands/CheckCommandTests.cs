using System.CommandLine;
using System.Text.Json;
using Portcullis.Commands;

namespace Portcullis.FunctionalTests.Commands;

public sealed class CheckCommandTests : IDisposable
{
    private const string Good = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: edge}
        spec:
          servers:
          - port: {number: 80, name: http, protocol: HTTP}
            hosts: ["*"]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: web}
        spec:
          hosts: ["*"]
          gateways: [edge]
          http:
          - directResponse: {status: 200}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("portcullis-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Check_AGoodConfiguration_ExitsZero()
    {
        var (code, output, _) = Run("-f", Write("good.yaml", Good));

        Assert.Equal((0, "0 errors, 0 warnings, 0 notes; 2 resources read\n"), (code, output));
    }

    [Theory]
    [InlineData("service: nowhere.test, port: 1", "PC2002", "`nowhere.test` is no Service or ServiceEntry that the gateway sees")]
    [InlineData("service: authz.test, port: 81", "PC2002", "`authz.test` has no port 81")]
    [InlineData("service: authz.test, port: 80, includeAdditionalHeadersInCheck: {x: '%WHAT%'}", "PC1005", "`%WHAT%` is not a command")]
    [InlineData("service: authz.test, port: 80", null, "0 errors")]
    public void Check_ExternalAuthorizerThatCannotBeAsked_IsAnErrorAtThePolicy(string provider, string? code, string text)
    {
        var mesh = Write("mesh.yaml", $"extensionProviders: [{{name: p, envoyExtAuthzHttp: {{{provider}}}}}]");
        var file = Write("ask.yaml", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: ask, namespace: istio-system}
            spec:
              action: CUSTOM
              provider: {name: p}
              rules: [{}]
            ---
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: authz, namespace: istio-system}
            spec: {hosts: [authz.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 127.0.0.1}]}
            """);

        var (exit, output, _) = Run("-f", file, "--mesh-config", mesh);

        Assert.Equal(code is null ? 0 : 1, exit);
        Assert.Contains(text, output, StringComparison.Ordinal);
        Assert.Equal(code is not null, output.Contains($"error {code}: spec.provider.name: the external authorizer `p` cannot be asked", StringComparison.Ordinal));
        Assert.Equal(code is not null, output.Contains($"{file}:6:", StringComparison.Ordinal));
    }

    [Fact]
    public void Check_AnError_IsNamedAsCompilersDoAndExitsOne()
    {
        var file = Write("bad.yaml", Good.Replace("gateways: [edge]", "gateway: [edge]", StringComparison.Ordinal));

        var (code, output, _) = Run("-f", file);

        Assert.Equal(1, code);
        Assert.Contains($"{file}:14:3: error PC1002: spec.gateway: unknown field `gateway` (VirtualService default/web); did you mean `gateways`?\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_BadKeys_AreFoundByTheCompiler()
    {
        var file = Write("jwks.yaml", Good + "\n---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a, namespace: istio-system}\nspec:\n  jwtRules:\n  - {issuer: a, jwks: \"{}\"}\n");

        var (code, output, _) = Run("-f", file);

        Assert.Equal(1, code);
        Assert.Contains(":23:23: error PC2004: spec.jwtRules[0].jwks: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ADanglingReference_IsNamedOnce()
    {
        var (_, output, _) = Run("-f", Write("dangling.yaml", Good.Replace("gateways: [edge]", "gateways: [edge, gone]", StringComparison.Ordinal)));

        Assert.Single(output.Split('\n'), l => l.Contains(":14:20:", StringComparison.Ordinal));
    }

    [Fact]
    public void Check_AMissingFile_ExitsTwo()
    {
        var (code, output, _) = Run("-f", Path.Combine(_folder.FullName, "missing.yaml"));

        Assert.Equal(2, code);
        Assert.Contains("error PC1007: there is no such file or folder", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_WrongLabels_ExitsWithUsage()
    {
        var (code, _, error) = Run("-f", Write("good.yaml", Good), "--labels", "istio");

        Assert.NotEqual(0, code);
        Assert.Contains("write --labels name=value", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_TheGatewaysIdentity_DecidesWhatIsSelected()
    {
        var file = Write("selected.yaml", Good.Replace("spec:\n  servers", "spec:\n  selector: {app: edge}\n  servers", StringComparison.Ordinal));

        Assert.Contains("note PC2006", Run("-f", file).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("PC2006", Run("-f", file, "--labels", "app=edge,istio=ingressgateway").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_Json_IsReadByAProgram()
    {
        var (code, output, _) = Run("-f", Write("bad.yaml", Good.Replace("number: 80", "number: eighty", StringComparison.Ordinal)), "--output", "json");

        Assert.Equal(1, code);
        using var json = JsonDocument.Parse(output);
        var problem = json.RootElement.GetProperty("problems").EnumerateArray().First(p => p.GetProperty("code").GetString() == "PC1003");
        Assert.Equal((6, 20), (problem.GetProperty("line").GetInt32(), problem.GetProperty("column").GetInt32()));
        Assert.Equal("spec.servers[0].port.number", problem.GetProperty("field").GetString());
        Assert.Equal("edge", problem.GetProperty("resource").GetProperty("name").GetString());
        Assert.True(json.RootElement.GetProperty("errors").GetInt32() > 0);
    }

    [Fact]
    public void Check_Sarif_HasWhatTheStandardAsksFor()
    {
        var (_, output, _) = Run("-f", Write("bad file.yaml", Good.Replace("protocol: HTTP", "protocol: HTP", StringComparison.Ordinal)), "--output", "sarif");

        using var sarif = JsonDocument.Parse(output);
        Assert.Equal("2.1.0", sarif.RootElement.GetProperty("version").GetString());
        var run = sarif.RootElement.GetProperty("runs")[0];
        var rules = run.GetProperty("tool").GetProperty("driver").GetProperty("rules");
        Assert.All(run.GetProperty("results").EnumerateArray(), r =>
        {
            Assert.Equal(r.GetProperty("ruleId").GetString(), rules[r.GetProperty("ruleIndex").GetInt32()].GetProperty("id").GetString());
            Assert.Contains(r.GetProperty("level").GetString(), new[] { "error", "warning", "note" });
            Assert.False(string.IsNullOrEmpty(r.GetProperty("message").GetProperty("text").GetString()));
            var location = r.GetProperty("locations")[0].GetProperty("physicalLocation");
            Assert.True(Uri.TryCreate(location.GetProperty("artifactLocation").GetProperty("uri").GetString(), UriKind.Absolute, out var uri) && uri.IsFile);
            Assert.True(location.GetProperty("region").GetProperty("startLine").GetInt32() > 0);
        });
        Assert.Contains("bad%20file.yaml", output, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        var code = CheckCommand.Create(CompileCheck.Run, (set, _, _) => AnnotationCheck.Run(set)).Parse(arguments).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text + "\n");
        return path;
    }
}
