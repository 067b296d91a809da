using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Support;
using Portcullis.Resources;

namespace Portcullis.FunctionalTests.Commands;

/// <summary>Every code has a page; its bad YAML gives the code, and its good YAML gives nothing.</summary>
public sealed partial class ProblemPagesTests : IDisposable
{
    /// <summary>What a page's YAML is looked at with, where the page does not say otherwise. By itself it gives no finding.</summary>
    private static readonly Dictionary<string, string> Surroundings = new()
    {
        ["Gateway"] = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: edge, namespace: istio-system}
            spec:
              selector: {istio: ingressgateway}
              servers:
              - port: {number: 80, name: http, protocol: HTTP}
                hosts: ["*"]
            """,
        ["VirtualService"] = """
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: app, namespace: istio-system}
            spec:
              hosts: ["*"]
              gateways: [edge]
              http: [{directResponse: {status: 200}}]
            """,
        ["RequestAuthentication"] = """
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: surrounding-tokens, namespace: istio-system}
            spec: {jwtRules: [{issuer: "https://issuer.example", jwksUri: "https://issuer.example/jwks"}]}
            """,
        ["AuthorizationPolicy"] = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: surrounding-policy, namespace: istio-system}
            spec:
              rules:
              - from: [{source: {requestPrincipals: ["*"]}}]
              - to: [{operation: {paths: [/healthz]}}]
            """,
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("portcullis-");

    public static TheoryData<string> Codes => [.. ProblemCodes.All];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Codes))]
    public void Page_OfACode_ShowsTheBadAndTheGood(string code)
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "reference", "problems", $"{code}.md"));

        Assert.StartsWith($"# {code}: ", page, StringComparison.Ordinal);
        Assert.NotEqual(code, ProblemCodes.Describe(code));
        if (code == ProblemCodes.Unreadable)
        {
            // Its bad example is a path that does not exist.
            return;
        }

        var also = AlsoGiven().Match(page) is { Success: true } given ? Code().Matches(given.Value).Select(m => m.Value).ToList() : [];
        Assert.Equal(also.Append(code).Order(StringComparer.Ordinal), Check(Section(page, "Bad")));
        Assert.Subset(also.ToHashSet(), Check(Section(page, "Good")).ToHashSet());
    }

    [Fact]
    public void Surroundings_ByThemselves_GiveNothing() => Assert.Empty(Check([]));

    [Fact]
    public void Index_ListsEveryPage()
    {
        var index = File.ReadAllText(Path.Combine(Repository.Root, "docs", "reference", "problems", "README.md"));

        Assert.All(ProblemCodes.All, code => Assert.Contains($"- [{code}]({code}.md): ", index, StringComparison.Ordinal));
    }

    private static List<string> Section(string page, string name)
    {
        var start = page.IndexOf($"## {name}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"the page has no section {name}");
        var end = page.IndexOf("\n## ", start, StringComparison.Ordinal);
        var blocks = YamlBlock().Matches(end < 0 ? page[start..] : page[start..end]).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(blocks);
        return blocks;
    }

    /// <summary>The codes of the findings. A block that is no resource is the mesh configuration.</summary>
    private List<string> Check(List<string> blocks)
    {
        var page = Path.Combine(_folder.FullName, "page.yaml");
        var surroundings = Path.Combine(_folder.FullName, "surroundings.yaml");
        var text = string.Join("---\n", blocks.Where(b => b.Contains("apiVersion:", StringComparison.Ordinal)));
        File.WriteAllText(page, text);
        File.WriteAllText(surroundings, string.Join("\n---\n", Surroundings.Where(s => !text.Contains($"kind: {s.Key}\n", StringComparison.Ordinal)).Select(s => s.Value)));
        List<string> arguments = ["-f", page, "-f", surroundings, "--output", "json"];
        if (blocks.Find(b => !b.Contains("apiVersion:", StringComparison.Ordinal)) is { } mesh)
        {
            var file = Path.Combine(_folder.FullName, "mesh.yaml");
            File.WriteAllText(file, mesh);
            arguments.AddRange(["--mesh-config", file]);
        }

        using var output = new StringWriter();
        CheckCommand.Create(CompileCheck.Run, AnalysisCheck.Run).Parse(arguments).Invoke(new InvocationConfiguration { Output = output });
        using var json = JsonDocument.Parse(output.ToString());
        return [.. json.RootElement.GetProperty("problems").EnumerateArray().Where(IsOfThePage).Select(p => p.GetProperty("code").GetString()!).Distinct().Order(StringComparer.Ordinal)];

        // Istio's general remark about DENY and TCP stands at every DENY policy; PC3041 is the finding.
        static bool IsOfThePage(JsonElement problem) =>
            !problem.GetProperty("message").GetString()!.StartsWith("configured AuthorizationPolicy will deny all traffic to TCP ports", StringComparison.Ordinal);
    }

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();

    [GeneratedRegex("^The examples give .*, too\\.$", RegexOptions.Multiline)]
    private static partial Regex AlsoGiven();

    [GeneratedRegex("(?<=\\[)PC[0-9]{4}(?=\\])")]
    private static partial Regex Code();
}
