using System.CommandLine;
using Portcullis.Commands;

namespace Portcullis.FunctionalTests.Commands;

public sealed class CheckFixTests : IDisposable
{
    private const string Broken = """
        # Who may come in.
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: p, namespace: istio-system}   # kept
        spec:
          rules:
          - from:
            - source: {requestPrincipals: ["*"]}
            to:
            - operation:
                methods: ['get', POST]  # kept, too
                ports: [8080]
                path: [/a]
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: q, namespace: istio-system}
        spec:
          rules:
          - to:
            - operation:
                methods: ['get', POST]  # kept, three
                paths:
                - "/%61pp/*"
                - /b   # the first
                - /b
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("portcullis-");

    private string File1 => Path.Combine(_folder.FullName, "policies.yaml");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Fix_WhatIsSafe_IsMadeInPlaceAndCommentsStay()
    {
        File.WriteAllText(File1, Broken + "\n");

        Run("--fix");

        var expected = Broken
            .Replace("ports: [8080]", "ports: [\"8080\"]", StringComparison.Ordinal)
            .Replace("path: [/a]", "paths: [/a]", StringComparison.Ordinal)
            .Replace("['get', POST]  # kept, three", "['GET', POST]  # kept, three", StringComparison.Ordinal)
            .Replace("\"/%61pp/*\"", "\"/app/*\"", StringComparison.Ordinal)
            .Replace("\n        - /b\n", "\n", StringComparison.Ordinal);
        expected = expected.EndsWith("        - /b", StringComparison.Ordinal) ? expected[..expected.LastIndexOf('\n')] : expected;
        Assert.Equal(expected + "\n", File.ReadAllText(File1));
        Assert.Equal(["policies.yaml"], _folder.EnumerateFiles().Select(f => f.Name));
    }

    /// <summary>A refused document is analysed once it reads: what is then found is mended by the next run, and after it nothing changes any more.</summary>
    [Fact]
    public void Fix_AgainAndAgain_ComesToAnEnd()
    {
        File.WriteAllText(File1, Broken + "\n");
        Run("--fix");
        Run("--fix");
        var second = File.ReadAllText(File1);

        Run("--fix");

        Assert.Equal(second, File.ReadAllText(File1));
        Assert.Contains("['GET', POST]  # kept, too", second, StringComparison.Ordinal);
    }

    [Fact]
    public void Fix_DryRun_ShowsADiffAndChangesNothing()
    {
        File.WriteAllText(File1, Broken + "\n");

        var (code, output, _) = Run("--fix", "--dry-run");

        Assert.Equal(1, code);
        Assert.Equal(Broken + "\n", File.ReadAllText(File1));
        Assert.StartsWith($"--- {File1}\n+++ {File1}\n@@ -9,", output, StringComparison.Ordinal);
        Assert.Contains("\n-        ports: [8080]\n+        ports: [\"8080\"]\n", output, StringComparison.Ordinal);
        Assert.Contains("\n         - /b   # the first\n-        - /b\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Fix_ALink_StaysALinkAndKeepsPermissions()
    {
        var target = Path.Combine(_folder.FullName, "target.txt");
        File.WriteAllText(target, Broken + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        }

        File.CreateSymbolicLink(File1, target);
        Run("--fix");

        Assert.NotNull(new FileInfo(File1).LinkTarget);
        Assert.Contains("paths: [/a]", File.ReadAllText(target), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(target));
        }
    }

    [Fact]
    public void Fix_DryRunAlone_IsWrongUsage()
    {
        File.WriteAllText(File1, Broken);

        Assert.Contains("give both", Run("--dry-run").Error, StringComparison.Ordinal);
    }

    private (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        var code = CheckCommand.Create(CompileCheck.Run, AnalysisCheck.Run).Parse(["-f", File1, .. arguments]).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
