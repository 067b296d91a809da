using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Portcullis.Matching.Tests;

public sealed class PathNormalizerTests
{
    private static readonly PathNormalization[] Modes = Enum.GetValues<PathNormalization>();

    public static TheoryData<string, PathNormalization, string?> Table()
    {
        var rows = new TheoryData<string, PathNormalization, string?>();
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Data", "path-normalization.json")));
        foreach (var row in document.RootElement.EnumerateArray())
        {
            var target = row.GetProperty("target").GetString()!;
            rows.Add(target, PathNormalization.None, row.GetProperty("none").GetString());
            rows.Add(target, PathNormalization.Base, row.GetProperty("base").GetString());
            rows.Add(target, PathNormalization.MergeSlashes, row.GetProperty("merge").GetString());
            rows.Add(target, PathNormalization.DecodeAndMergeSlashes, row.GetProperty("decodeAndMerge").GetString());
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void TryNormalize_EveryRowOfTheTable_GivesItsPath(string target, PathNormalization mode, string? expected)
    {
        Assert.Equal(expected is not null, PathNormalizer.TryNormalize(target, mode, out var path, out _));
        Assert.Equal(expected, path);
    }

    [Theory]
    [InlineData("/p?a=../%2e//", "/p", "a=../%2e//")]
    [InlineData("/p?", "/p", "")]
    [InlineData("/p", "/p", null)]
    [InlineData("/p?a?b", "/p", "a?b")]
    [InlineData("/p#f?x", "/p", null)] // all behind the fragment goes
    [InlineData("/p?x#f", "/p", "x")]
    [InlineData("/a//../b?%00", "/a/b", "%00")]
    public void TryNormalize_Query_IsLeftAsItIs(string target, string path, string? query)
    {
        Assert.True(PathNormalizer.TryNormalize(target, PathNormalization.DecodeAndMergeSlashes, out var actualPath, out var actualQuery));
        Assert.Equal((path, query), (actualPath, actualQuery));
    }

    [Fact]
    public void TryNormalize_NothingToChange_ReturnsTheSameInstanceWithoutAllocating()
    {
        const string Target = "/orders/1234/items.json";
        PathNormalizer.TryNormalize(Target, PathNormalization.DecodeAndMergeSlashes, out _, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        PathNormalizer.TryNormalize(Target, PathNormalization.DecodeAndMergeSlashes, out var path, out _);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Same(Target, path);
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void TryNormalize_LongPath_IsNormalisedToo()
    {
        var target = string.Concat(Enumerable.Repeat("/a/../b", 500));

        Assert.True(PathNormalizer.TryNormalize(target, PathNormalization.Base, out var path, out _));
        Assert.Equal(string.Concat(Enumerable.Repeat("/b", 500)), path);
    }

    [Property(MaxTest = 5000)]
    public Property TryNormalize_ItsOwnOutput_StaysAsItIs() => Prop.ForAll(Targets(), target =>
        Modes.All(mode => !PathNormalizer.TryNormalize(target, mode, out var once, out _)
            || (PathNormalizer.TryNormalize(once, mode, out var twice, out _) && once == twice)));

    [Property(MaxTest = 5000)]
    public Property TryNormalize_AnyTarget_LeavesNoDotSegmentAndKeepsTheRoot() => Prop.ForAll(Targets(), target =>
        !PathNormalizer.TryNormalize(target, PathNormalization.MergeSlashes, out var path, out _)
        || (path.StartsWith('/')
            && path.Split('/').All(s => s.Split(';')[0] is not ("." or ".."))
            && !path.Contains("//", StringComparison.Ordinal)));

    [Property(MaxTest = 2000)]
    public Property PathReadings_OfANormalisedPath_AreThePathAndItsStricterForms() => Prop.ForAll(Targets(), target =>
    {
        if (!PathNormalizer.TryNormalize(target, PathNormalization.Base, out var path, out _))
        {
            return true;
        }

        PathNormalizer.TryNormalizePath(path, PathNormalization.MergeSlashes, out var merged);
        PathNormalizer.TryNormalizePath(path, PathNormalization.DecodeAndMergeSlashes, out var decoded);
        var slashes = System.Text.RegularExpressions.Regex.Replace(path, @"(?i:%2f|%5c|[/\\])+", "/");
        PathNormalizer.TryNormalizePath(slashes, PathNormalization.DecodeAndMergeSlashes, out var mergedFirst);
        var readings = PathReadings.Of(path);
        return Enumerable.Range(0, readings.Count).Select(i => readings[i]).SequenceEqual(new[] { path, merged!, decoded!, mergedFirst! }.Distinct());
    });

    private static Arbitrary<string> Targets() =>
        Gen.Elements("/", "/", ".", "..", "%", "%2e", "%2F", "%5c", "\\", "%36", "%31", "%46", "%25", "2", "F", "a", ";x", "%zz", "%c0")
            .ListOf().Select(parts => "/" + string.Concat(parts)).ToArbitrary();
}
