using System.CommandLine;
using System.Text.Json;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Support;
using Portcullis.Resources;

namespace Portcullis.FunctionalTests.Commands;

/// <summary>What the analysis is told about the listeners, and who shows what it finds.</summary>
public sealed class AnalysisCheckTests : IDisposable
{
    private const string Policy = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: p, namespace: istio-system}
        spec:
          rules:
          - from: [{source: {principals: [cluster.local/ns/a/sa/b]}}]
            to: [{operation: {ports: ["443"], hosts: [other.example]}}]
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("portcullis-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("SIMPLE", "PC3011", true)]
    [InlineData("MUTUAL", "PC3011", false)]
    [InlineData("OPTIONAL_MUTUAL", "PC3011", false)]
    [InlineData("SIMPLE", "PC3050", true)]
    [InlineData("SIMPLE", "PC3051", true)]
    public void Check_ATlsServer_IsWhatPoliciesAreHeldAgainst(string mode, string code, bool found) =>
        Assert.Equal(found, Codes(Check(Gateway(mode) + "\n---\n" + Policy)).Contains(code));

    [Theory]
    [InlineData("443=443", false)]
    [InlineData("443=9443", true)]
    public void Check_ThePortMap_DecidesWhichPortIsCompared(string map, bool found) =>
        Assert.Equal(found, Codes(Check(Gateway("SIMPLE") + "\n---\n" + Policy, "--port", map)).Contains("PC3050"));

    [Fact]
    public void Check_WithoutAGateway_SaysNothingAboutHostsAndPorts() => Assert.DoesNotContain(Codes(Check(Policy)), c => c is "PC3050" or "PC3051" or "PC3011");

    [Fact]
    public void Check_Sarif_HasARuleWithItsPageForEveryCode()
    {
        using var sarif = JsonDocument.Parse(Check(Policy, "--output", "sarif"));
        var rules = sarif.RootElement.GetProperty("runs")[0].GetProperty("tool").GetProperty("driver").GetProperty("rules").EnumerateArray().ToList();

        Assert.Equal(ProblemCodes.All, rules.Select(r => r.GetProperty("id").GetString()!));
        Assert.All(rules, r =>
        {
            Assert.StartsWith($"# {r.GetProperty("id").GetString()}: ", r.GetProperty("help").GetProperty("markdown").GetString(), StringComparison.Ordinal);
            Assert.EndsWith(".", r.GetProperty("shortDescription").GetProperty("text").GetString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Run_AWarningOfTheAnalysis_IsLoggedAndRefusesNothing()
    {
        await using var gateway = await RunningGateway.StartAsync("{}");

        await gateway.ApplyAsync(() => gateway.Write("policy.yaml", """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: p, namespace: istio-system}
            spec: {action: DENY, rules: [{to: [{operation: {methods: [put]}}]}]}
            """));

        await gateway.Process.WaitForLineAsync("warning PC3013: spec.rules[0].to[0].operation.methods[0]: ");
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/get")).Status);
    }

    private static string Gateway(string mode) => $$"""
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: istio-system}
        spec:
          servers:
          - port: {number: 443, name: https, protocol: HTTPS}
            hosts: ["./shop.example"]
            tls: {mode: {{mode}}, credentialName: shop}
        """;

    private static List<string> Codes(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.GetProperty("problems").EnumerateArray().Select(p => p.GetProperty("code").GetString()!)];
    }

    private string Check(string yaml, params string[] arguments)
    {
        var file = Path.Combine(_folder.FullName, "check.yaml");
        File.WriteAllText(file, yaml + "\n");
        using var output = new StringWriter();
        string[] format = arguments.Contains("--output") ? [] : ["--output", "json"];
        CheckCommand.Create(CompileCheck.Run, AnalysisCheck.Run).Parse(["-f", file, .. format, .. arguments]).Invoke(new InvocationConfiguration { Output = output });
        return output.ToString();
    }
}
