using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests;

/// <summary>Pages say what the data says, and their links lead somewhere.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Docs = Path.Combine(Repository.Root, "docs");
    private static readonly string PolicyData = Path.Combine(Repository.Root, "test", "Portcullis.Policy.Tests", "Data");

    public static TheoryData<string> Pages =>
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md").Select(p => Path.GetRelativePath(Repository.Root, p)),
        .. new[] { "docs", "samples", "bench" }
            .SelectMany(f => Directory.EnumerateFiles(Path.Combine(Repository.Root, f), "*.md", SearchOption.AllDirectories))
            .Select(p => Path.GetRelativePath(Repository.Root, p)),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_OfEveryPage_LeadToAFile(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        var targets = Link().Matches(File.ReadAllText(Path.Combine(Repository.Root, page)))
            .Select(m => m.Groups[1].Value.Split('#')[0])
            .Where(t => t.Length > 0 && !t.Contains("://", StringComparison.Ordinal));

        Assert.All(targets, t => Assert.True(Path.Exists(Path.Combine(folder, t)), $"{page} links to {t}, which is not there"));
    }

    [Fact]
    public void StricterPage_IsMadeFromTheTableThatTheTestsUse()
    {
        var page = Path.Combine(Docs, "reference", "stricter-than-istio.md");
        var expected = StricterPage();
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(page, expected);
        }

        Assert.Equal(expected, File.ReadAllText(page));
    }

    [Fact]
    public void DeviationMarks_OfTheWorkedExamples_AreAllInTheTable()
    {
        var known = Deviations().Select(d => d.Id).ToHashSet();
        var marks = Mark().Matches(File.ReadAllText(Path.Combine(PolicyData, "authentication.json"))).Select(m => m.Groups[1].Value).Distinct();

        Assert.All(marks, m => Assert.Contains(m, known));
    }

    private static string StricterPage()
    {
        var page = new StringBuilder("""
            # Where Portcullis is not Istio

            Portcullis answers as Istio with Envoy does, but for the rows below. A row with a switch can be turned back: the mesh configuration's
            `authorizationDenied: Forbidden`, `principalWithoutSub: Reject` and `denyPathReadings: Exact` together make the *exact* mode. A row without a
            switch hits no honest client, or keeps an invalid policy from opening a door. Each but the header timeout has a test.

            This page is made from the tables that the tests run (`UPDATE_GOLDEN=1` rewrites it).

            """);
        foreach (var area in Deviations().GroupBy(d => d.Area))
        {
            page.Append($"\n## {area.Key}\n\n| input | Istio | Portcullis | why | switch |\n|---|---|---|---|---|\n");
            foreach (var d in area)
            {
                page.Append($"| <a id=\"{d.Id}\"></a>{Cell(d.Input)} | {Cell(d.Istio)} | {Cell(d.Ours)} | {Cell(d.Why)} | {(d.Switch is { } s ? Cell(s.Contains(':', StringComparison.Ordinal) ? $"`{s}`" : s) : "–")} |\n");
            }
        }

        return page.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static IEnumerable<Deviation> Deviations() =>
        Read(Path.Combine(Docs, "reference", "deviations.json"), null).Concat(Read(Path.Combine(PolicyData, "authorization-deviations.json"), "Policies"));

    private static IEnumerable<Deviation> Read(string file, string? area)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        return [.. json.RootElement.EnumerateArray().Select(d => new Deviation(
            area ?? d.GetProperty("area").GetString()!,
            d.GetProperty("id").GetString()!,
            d.GetProperty("input").GetString()!,
            d.GetProperty("istio").GetString()!,
            d.GetProperty("ours").GetString()!,
            d.GetProperty("why").GetString()!,
            d.GetProperty("switch").GetString()))];
    }

    private sealed record Deviation(string Area, string Id, string Input, string Istio, string Ours, string Why, string? Switch);

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("\"deviation\": *\"([^\"]+)\"")]
    private static partial Regex Mark();
}
