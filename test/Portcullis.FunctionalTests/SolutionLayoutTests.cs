using System.Xml.Linq;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests;

public sealed class SolutionLayoutTests
{
    /// <summary>docs/architecture.md: every arrow points to what is depended on; there is no other.</summary>
    private static readonly Dictionary<string, string[]> AllowedReferences = new()
    {
        ["Portcullis.Jose"] = [],
        ["Portcullis.Matching"] = [],
        ["Portcullis.Resources"] = [],
        ["Portcullis.Policy"] = ["Portcullis.Jose", "Portcullis.Matching", "Portcullis.Resources"],
        ["Portcullis.Routing"] = ["Portcullis.Matching", "Portcullis.Resources"],
        ["Portcullis.Gateway"] = ["Portcullis.Policy", "Portcullis.Routing"],
        ["Portcullis.HttpBin"] = [],
        ["Portcullis"] = ["Portcullis.Gateway", "Portcullis.HttpBin"],
    };

    private static readonly string[] PureProjects = ["Portcullis.Jose", "Portcullis.Matching", "Portcullis.Resources", "Portcullis.Policy", "Portcullis.Routing"];

    public static TheoryData<string> Projects => [.. Directory.EnumerateDirectories(Path.Combine(Root, "src")).Select(d => Path.GetFileName(d)!)];

    private static string Root => Repository.Root;

    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectReferences_OfEveryProject_AreTheOnesThatTheArchitectureDraws(string project)
    {
        var references = Load(project).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));

        Assert.True(AllowedReferences.TryGetValue(project, out var allowed), $"{project} is not in the architecture");
        Assert.Subset(allowed!.ToHashSet(), references.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void PureProjects_SeeNoAspNet(string project)
    {
        var frameworks = Load(project).Descendants("FrameworkReference").Select(r => r.Attribute("Include")!.Value);

        if (PureProjects.Contains(project))
        {
            Assert.Empty(frameworks);
        }
        else
        {
            Assert.All(frameworks, f => Assert.Equal("Microsoft.AspNetCore.App", f));
        }
    }

    private static XDocument Load(string project) => XDocument.Load(Path.Combine(Root, "src", project, project + ".csproj"));
}
