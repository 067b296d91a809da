using System.Runtime.CompilerServices;

namespace Portcullis.Resources.Tests.Analysis;

/// <summary>
/// Files that are wrong in every way we could think of, each with the report it must give beside it (<c>.txt</c>). With
/// <c>UPDATE_GOLDEN=1</c> the reports are written anew.
/// </summary>
public sealed class BrokenFilesTests
{
    private static readonly string Folder = Path.Combine(Path.GetDirectoryName(Here())!, "..", "Broken");

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder).Where(f => !f.EndsWith(".txt", StringComparison.Ordinal)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Report_OfABrokenFile_NamesEveryLineAndRemedy(string file)
    {
        var result = ResourceReader.Read(file, File.ReadAllText(Path.Combine(Folder, file)));
        var set = ResourceSetBuilder.Build([result], [], MeshConfig.Default, "");
        var problems = set.Problems.Concat(ResourceSetValidator.Validate(set, new WorkloadIdentity())).ToList();

        Assert.Contains(problems, p => p.Severity is ProblemSeverity.Error);
        Assert.All(problems, p => Assert.NotNull(p.Position));
        var report = string.Concat(problems.OrderBy(p => p.Position!.Value.Line).ThenBy(p => p.Position!.Value.Column).Select(p => $"{p}\n"));
        var expected = Path.Combine(Folder, Path.ChangeExtension(file, ".txt"));
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(expected, report);
        }

        Assert.Equal(File.ReadAllText(expected), report);
    }

    [Fact]
    public void Report_OfASecret_NeverShowsAValue()
    {
        var result = ResourceReader.Read("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: hunter2!, b: [hunter2], c: 2}\nstringData: {d: {e: hunter2}}\n");

        Assert.Equal(4, result.Problems.Length);
        Assert.All(result.Problems, p => Assert.DoesNotContain("hunter2", p.ToString(), StringComparison.Ordinal));
    }

    private static string Here([CallerFilePath] string path = "") => MappedToDisk(path);

    /// <summary>Deterministic builds map the checkout to <c>/_/</c>.</summary>
    private static string MappedToDisk(string path)
    {
        if (File.Exists(path))
        {
            return path;
        }

        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Portcullis.slnx")))
        {
            folder = folder.Parent;
        }

        return path.Replace("/_/", $"{folder!.FullName}/", StringComparison.Ordinal);
    }
}
