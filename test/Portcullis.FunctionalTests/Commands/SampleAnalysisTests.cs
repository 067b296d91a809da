using System.CommandLine;
using System.Text.Json;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Commands;

/// <summary>The guide is right as written: the analysis says about it what its own best practices say, and nothing else.</summary>
public sealed class SampleAnalysisTests
{
    [Theory]
    [InlineData(null, "PC3001 PC3070 PC3071")]
    [InlineData("1-require-jwt.yaml", "PC3070 PC3071")]
    [InlineData("2-issuer-and-subject.yaml", "PC3070 PC3071")]
    public void Check_TheGuide_FindsOnlyItsOwnBestPractices(string? step, string codes)
    {
        var guide = Path.Combine(Repository.Root, "samples", "guide");
        List<string> arguments = ["-f", Path.Combine(guide, "config"), "--mesh-config", Path.Combine(guide, "mesh-config.yaml"), "--output", "json"];
        if (step is not null)
        {
            arguments.AddRange(["-f", Path.Combine(guide, "steps", step)]);
        }

        using var output = new StringWriter();
        var code = CheckCommand.Create(CompileCheck.Run, AnalysisCheck.Run).Parse(arguments).Invoke(new InvocationConfiguration { Output = output });

        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(output.ToString());
        var found = json.RootElement.GetProperty("problems").EnumerateArray().Select(p => p.GetProperty("code").GetString()!).Where(c => c != "PC1006");
        Assert.Equal(codes.Split(' '), found.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Check_EveryOtherSample_HasNoWarningOfTheAnalysis()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.Combine(Repository.Root, "samples")).Where(d => Path.GetFileName(d) != "guide"))
        {
            using var output = new StringWriter();
            CheckCommand.Create(CompileCheck.Run, AnalysisCheck.Run).Parse(["-f", folder, "--output", "json"]).Invoke(new InvocationConfiguration { Output = output });

            using var json = JsonDocument.Parse(output.ToString());
            Assert.DoesNotContain(json.RootElement.GetProperty("problems").EnumerateArray(), p =>
                p.GetProperty("severity").GetString() == "warning" && p.GetProperty("code").GetString()!.StartsWith("PC3", StringComparison.Ordinal));
        }
    }
}
