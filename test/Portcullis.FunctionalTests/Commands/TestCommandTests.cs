using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Commands;

public sealed class TestCommandTests : IDisposable
{
    private const string Policy = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: web, namespace: istio-system}
        spec:
          rules:
          - to: [{operation: {paths: [/open, /public]}}]
        """;

    private readonly TemporaryFolder _folder = new();

    public TestCommandTests() => _folder.Write("config/policy.yaml", Policy);

    private string Config => _folder.File("config");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Sample_Passes_WithEveryRuleExercised()
    {
        var guide = Path.Combine(Samples.Root, "guide");
        var (code, output, error) = await PortcullisProcess.RunAsync(
            "test", "-f", Path.Combine(guide, "config"), "-f", Path.Combine(guide, "steps", "2-issuer-and-subject.yaml"), Path.Combine(Samples.Root, "policy-tests"));

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("✓ the demo user may", output, StringComparison.Ordinal);
        Assert.Contains("Coverage 100 %  policies 1/1, rules 2/2, clauses 2/2, values 3/3, JWT rules 1/1", output, StringComparison.Ordinal);
        Assert.Contains("9 passed, 0 failed", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailedTest_SaysWhereWhatAndWhy()
    {
        var tests = _folder.Write("t.yaml", "tests:\n- name: all may read\n  request: http://h/secret\n  expect: allow\n");

        var (code, output, _) = await PortcullisProcess.RunAsync("test", "-f", Config, tests);

        Assert.Equal(1, code);
        Assert.Contains($"✗ all may read  {tests}:2", output, StringComparison.Ordinal);
        Assert.Contains("expected allow, got deny with 403", output, StringComparison.Ordinal);
        Assert.Contains("near miss ns[istio-system]-policy[web]-rule[0]: 0 of 1 conditions held", output, StringComparison.Ordinal);
        Assert.Contains("✗ paths = \"/secret\", wanted \"/open\" or \"/public\"", output, StringComparison.Ordinal);
        Assert.Contains("policy.yaml:6", output, StringComparison.Ordinal);
        Assert.EndsWith("0 passed, 1 failed", Regex.Replace(output.TrimEnd(), @"  \(\d+ ms\)$", ""), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
    }

    [Fact]
    public async Task BadTestFile_IsReportedWithItsPlaceAndEndsWith2()
    {
        var tests = _folder.Write("t.yaml", "tests:\n- request: http://h/\n  expct: allow\n");

        var (code, output, error) = await PortcullisProcess.RunAsync("test", "-f", Config, tests);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains($"{tests}:3:3: error PC1002: tests[0].expct: unknown field `expct`; did you mean `expect`?", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config/bad.yaml", "kind: Gateway\n", "PC1004")]
    [InlineData("config/bad.yaml", "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: x}\nspec: {rulez: []}\n", "did you mean `rules`?")]
    public void BadResources_EndWith2(string file, string text, string message)
    {
        _folder.Write(file, text);

        var (code, _, error) = Run(Tests("http://h/open", "allow"));

        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingTestFile_EndsWith2()
    {
        var (code, _, error) = Run(_folder.File("none.yaml"));

        Assert.Equal(2, code);
        Assert.Contains("none.yaml: error PC1007: there is no such file or folder", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TestsAmongTheResources_AreNotReadAsResources()
    {
        var tests = _folder.Write("config/tests.yaml", "tests: [{request: http://h/open, expect: allow}]");

        Assert.Equal(0, Run(tests).Code);
    }

    [Fact]
    public void JUnit_IsXmlThatBuildServersRead()
    {
        var tests = _folder.Write("t.yaml", """
            name: <suite> & "more"
            tests:
            - {name: passes, request: http://h/open, expect: allow}
            - {name: "fails \u0007 <&> \U0001F600", request: http://h/x, expect: {outcome: allow, reason: "\u0001"}}
            - {name: left out, request: http://h/x, expect: allow, skip: not yet}
            """);
        var file = _folder.File("results.xml");

        var (code, output, _) = Run(tests, "--output", "junit", "--junit", file);

        Assert.Equal(1, code);
        var printed = XDocument.Parse(output);
        var root = XDocument.Load(file).Root!;
        Assert.Equal(printed.Root!.Attribute("tests")!.Value, root.Attribute("tests")!.Value);
        Assert.Equal(("testsuites", "3", "1", "1"), (root.Name.LocalName, root.Attribute("tests")!.Value, root.Attribute("failures")!.Value, root.Attribute("skipped")!.Value));
        var suite = root.Element("testsuite")!;
        Assert.Equal(("<suite> & \"more\"", tests), (suite.Attribute("name")!.Value, suite.Attribute("file")!.Value));
        var cases = suite.Elements("testcase").ToList();
        Assert.Equal(["passes", "fails \uFFFD <&> \U0001F600", "left out"], cases.Select(c => c.Attribute("name")!.Value));
        Assert.Equal(["3", "4", "5"], cases.Select(c => c.Attribute("line")!.Value));
        Assert.All(cases, c => Assert.Matches(@"^\d+\.\d+$", c.Attribute("time")!.Value));
        Assert.Contains("expected allow, got deny with 403", cases[1].Element("failure")!.Attribute("message")!.Value, StringComparison.Ordinal);
        Assert.Contains($"{tests}:4", cases[1].Element("failure")!.Value, StringComparison.Ordinal);
        Assert.Equal("not yet", cases[2].Element("skipped")!.Attribute("message")!.Value);
    }

    [Fact]
    public void Json_HoldsResultsAndCoverage()
    {
        var (code, output, _) = Run(Tests("http://h/open", "{outcome: allow, policy: web}"), "--output", "json");

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(output);
        var test = Assert.Single(json.RootElement.GetProperty("tests").EnumerateArray());
        Assert.Equal("passed", test.GetProperty("outcome").GetString());
        Assert.Equal("allow by web", test.GetProperty("expected").GetString());
        Assert.Equal("istio-system/web", test.GetProperty("actual").GetProperty("policy").GetString());
        var coverage = json.RootElement.GetProperty("coverage");
        Assert.Equal(60, coverage.GetProperty("percent").GetDouble());
        Assert.Equal(1, coverage.GetProperty("rules").GetProperty("covered").GetInt32());
        Assert.Equal(
            ["clauses it fails in no test", "values no test has a value that it matches"],
            coverage.GetProperty("missing").EnumerateArray().Select(m => $"{m.GetProperty("kind").GetString()} {m.GetProperty("missing").GetString()}"));
    }

    [Theory]
    [InlineData("60", 0)]
    [InlineData("60.1", 1)]
    public void MinCoverage_DecidesTheExitCode(string least, int expected)
    {
        var (code, _, error) = Run(Tests("http://h/open", "allow"), "--min-coverage", least);

        Assert.Equal(expected, code);
        Assert.Equal(expected == 1, error.Contains("the coverage of 60 % is below the 60.1 % asked for", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("FIRST", 0, "1 passed, 0 failed")]
    [InlineData("f*t", 0, "1 passed, 0 failed")]
    [InlineData("second", 1, "0 passed, 1 failed")]
    [InlineData("third", 2, "0 passed, 0 failed")]
    public void Filter_TakesTestsByName(string filter, int expected, string summary)
    {
        var tests = _folder.Write("t.yaml", "tests:\n- {name: first, request: http://h/open, expect: allow}\n- {name: second, request: http://h/open, expect: deny}\n");

        var (code, output, _) = Run(tests, "--filter", filter, "--coverage", "none");

        Assert.Equal(expected, code);
        Assert.Contains(summary, output, StringComparison.Ordinal);
        Assert.DoesNotContain("Coverage", output, StringComparison.Ordinal);
    }

    [Fact]
    public void MeshConfigAndWorkload_AreTheGatewaysOwn()
    {
        var mesh = _folder.Write("mesh.yaml", "rootNamespace: mesh");

        Assert.Equal(1, Run(Tests("http://h/x", "{outcome: allow, policy: none}")).Code);
        Assert.Equal(0, Run(Tests("http://h/x", "{outcome: allow, policy: none}"), "--namespace", "elsewhere", "--mesh-config", mesh).Code);
    }

    [Fact]
    public void Scaffold_WritesTestsThatHoldAndExerciseEveryRule()
    {
        _folder.Write("config/more.yaml", """
            apiVersion: security.istio.io/v1
            kind: RequestAuthentication
            metadata: {name: jwt, namespace: istio-system}
            spec: {jwtRules: [{issuer: "https://a.example", jwksUri: "https://a.example/jwks", audiences: [shop], fromHeaders: [{name: x-token}]}]}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: more, namespace: istio-system}
            spec:
              rules:
              - from: [{source: {requestPrincipals: ["https://a.example/*"], remoteIpBlocks: [10.0.0.0/8]}}]
                to: [{operation: {paths: ["/orders/{*}"], methods: [POST], hosts: ["*.shop.example"], ports: ["8080"]}}]
                when:
                - {key: "request.auth.claims[realm][roles]", values: ["dev*"]}
                - {key: "request.headers[x-tenant]", values: ["yes"]}
                - {key: connection.sni, values: [a.example]}
              - from: [{source: {principals: [cluster.local/ns/a/sa/b]}}]
              - from: [{source: {namespaces: [prod]}}]
              - from: [{source: {requestPrincipals: ["*"]}}]
                when: [{key: request.auth.presenter, values: [app]}]
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: shut, namespace: istio-system}
            spec: {action: DENY, rules: [{to: [{operation: {paths: [/admin*]}}], from: [{source: {ipBlocks: [203.0.113.0/24]}}]}]}
            """);
        using var scaffold = new StringWriter();

        Assert.Equal(0, TestCommand.Create().Parse(["-f", Config, "--scaffold"]).Invoke(new InvocationConfiguration { Output = scaffold }));
        var (code, output, error) = Run(_folder.Write("t.yaml", scaffold.ToString()));

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("policies 3/3, rules 6/6", output, StringComparison.Ordinal);
        Assert.Contains("JWT rules 1/1", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--scaffold", "t.yaml")]
    [InlineData("--min-coverage", "101", "t.yaml")]
    [InlineData("--output", "xml", "t.yaml")]
    [InlineData]
    public async Task WrongUsage_EndsWith2(params string[] arguments)
    {
        var (code, _, error) = await PortcullisProcess.RunAsync(["test", "-f", Config, .. arguments]);

        Assert.Equal(2, code);
        Assert.NotEmpty(error);
    }

    [Fact]
    public async Task Watch_RunsAgainWhenAPolicyOrATestChanges()
    {
        var tests = Tests("http://h/open", "allow");
        await using var process = PortcullisProcess.Start("test", "-f", Config, tests, "--watch");
        await process.WaitForLineAsync("1 passed, 0 failed");
        await process.WaitForLineAsync("watching for changes");

        _folder.Write("config/policy.yaml", Policy.Replace("/open", "/closed", StringComparison.Ordinal));
        await process.WaitForLineAsync("0 passed, 1 failed");
        Tests("http://h/closed", "{outcome: allow, policy: web, rule: 0}");
        await process.WaitForLineAsync("✓ GET /closed");

        process.Signal(System.Runtime.InteropServices.PosixSignal.SIGINT);
        await process.WaitForExitAsync();
    }

    private string Tests(string request, string expect) => _folder.Write("t.yaml", $"tests:\n- {{request: {request}, expect: {expect}}}\n");

    private (int Code, string Output, string Error) Run(string tests, params string[] more)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = TestCommand.Create().Parse(["-f", Config, tests, .. more]).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
