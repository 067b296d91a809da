using Portcullis.Gateway.Configuration;
using Portcullis.Resources;

namespace Portcullis.Gateway.Tests.Configuration;

public sealed class FileResourceSourceTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("portcullis-");
    private readonly CancellationTokenSource _stop = new(Patience);

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _stop.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Load_AFolder_ReadsItsFilesInOrdinalOrderOfTheirPaths()
    {
        Write("b.yml", "b");
        Write("B.yaml", "upper");
        Write("a/z.yaml", "z");
        Write("c.json", "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"json\"}}", raw: true);
        Write(".hidden.yaml", "hidden");
        Write(".git/x.yaml", "git");
        Write("notes.txt", "text");

        var set = Source().Load();

        Assert.Empty(set.Problems);
        Assert.Equal(["upper", "z", "b", "json"], Names(set));
        Assert.Equal([0, 1, 2, 3], set.All.Select(r => r.Origin.Order));
        Assert.Equal(Path.Combine(_folder.FullName, "a", "z.yaml"), set.All[1].Origin.Source);
    }

    [Fact]
    public void Load_AMountedConfigMap_IsReadOnceThroughItsLinks()
    {
        Write("..2026_1/a.yaml", "one");
        File.CreateSymbolicLink(Full("..data"), "..2026_1");
        File.CreateSymbolicLink(Full("a.yaml"), "..data/a.yaml");
        var source = Source();
        Assert.Equal(["one"], Names(source.Load()));

        Write("..2026_2/a.yaml", "two");
        File.Delete(Full("..data"));
        File.CreateSymbolicLink(Full("..data"), "..2026_2");

        Assert.Equal(["two"], Names(source.Load()));
    }

    [Fact]
    public void Load_ALinkToItsOwnFolder_Ends()
    {
        Write("a.yaml", "a");
        Directory.CreateSymbolicLink(Full("loop"), ".");

        var set = Source().Load();

        Assert.Contains("a", Names(set));
    }

    [Fact]
    public void Load_WhatCannotBeRead_IsAProblemAndNoException()
    {
        Write("good.yaml", "good");
        File.WriteAllBytes(Full("latin1.yaml"), [0x61, 0xE4, 0x0A]);
        File.CreateSymbolicLink(Full("dangling.yaml"), "nowhere.yaml");

        var set = Source(Full("missing"), _folder.FullName).Load();

        Assert.Equal(["good"], Names(set));
        Assert.Equal([Full("missing"), Full("dangling.yaml"), Full("latin1.yaml")], set.Problems.Select(p => p.Source));
        Assert.All(set.Problems, p => Assert.Equal((ProblemCodes.Unreadable, ProblemSeverity.Error), (p.Code, p.Severity)));
        Assert.Contains("not UTF-8 at byte 1", set.Problems[2].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TheSameFileTwice_IsReadOnce()
    {
        Write("a.yaml", "a");

        Assert.Equal(["a"], Names(Source(_folder.FullName, Full("a.yaml")).Load()));
    }

    [Fact]
    public void Load_AfterOneChange_KeepsTheRecordsOfOtherFilesAndRenumbersThem()
    {
        Write("a.yaml", "a");
        Write("b.yaml", "b");
        var source = Source();
        var before = source.Load();

        Write("a.yaml", "a1", "a2");
        var after = source.Load();

        Assert.Equal(["a1", "a2", "b"], Names(after));
        Assert.Equal([0, 1, 2], after.All.Select(r => r.Origin.Order));
        Assert.NotEqual(before.Revision, after.Revision);
        Assert.Same(before.All[1].Metadata, after.All[2].Metadata);
        Assert.Equal(new SourcePosition(3, 18), after.All[2].Origin.Locate("metadata.name"));
    }

    [Fact]
    public void Load_NothingChanged_HasTheSameRevision()
    {
        Write("a.yaml", "a");

        Assert.Equal(Source().Load().Revision, Source().Load().Revision);
    }

    [Fact]
    public void Load_TheMeshConfiguration_IsPartOfTheSet()
    {
        File.WriteAllText(Full("mesh"), "trustDomain: td.example\nbogus: 1\n");
        var set = new FileResourceSource(new FileResourceSourceOptions { Paths = [], MeshConfigPath = Full("mesh") }, TimeProvider.System).Load();
        Assert.Equal((ProblemCodes.UnknownField, new SourcePosition(2, 1)), (Assert.Single(set.Problems).Code, set.Problems[0].Position));

        File.WriteAllText(Full("mesh"), "trustDomain: td.example\n");
        Assert.Equal("td.example", new FileResourceSource(new FileResourceSourceOptions { Paths = [], MeshConfigPath = Full("mesh") }, TimeProvider.System).Load().Mesh.TrustDomain);
    }

    [Fact]
    public async Task Watch_AFileWritten_YieldsTheNewSet()
    {
        Write("a.yaml", "a");
        await using var sets = Watch();
        Assert.Equal(["a"], Names(await Next(sets)));

        Write("a.yaml", "b");

        Assert.Equal(["b"], Names(await NextWhere(sets, s => Names(s).SequenceEqual(["b"]))));
    }

    [Fact]
    public async Task Watch_AnEditorsRename_YieldsTheNewSet()
    {
        Write("a.yaml", "a");
        await using var sets = Watch();
        await Next(sets);

        Write(".a.yaml.tmp", "renamed");
        File.Move(Full(".a.yaml.tmp"), Full("a.yaml"), overwrite: true);

        Assert.Equal(["renamed"], Names(await NextWhere(sets, s => Names(s).SequenceEqual(["renamed"]))));
    }

    [Fact]
    public async Task Watch_AFileInANewFolder_YieldsTheNewSet()
    {
        await using var sets = Watch();
        Assert.Empty((await Next(sets)).All);

        Write("new/deep/a.yaml", "a");

        Assert.Equal(["a"], Names(await NextWhere(sets, s => !s.All.IsEmpty)));
    }

    [Fact]
    public async Task Watch_TheFolderDeletedAndMadeAgain_GoesOn()
    {
        Write("config/a.yaml", "a");
        await using var sets = Watch(Full("config"));
        await Next(sets);

        Directory.Delete(Full("config"), recursive: true);
        var gone = await NextWhere(sets, s => s.All.IsEmpty);
        Assert.Equal(ProblemCodes.Unreadable, Assert.Single(gone.Problems).Code);

        Write("config/b.yaml", "b");
        Assert.Equal(["b"], Names(await NextWhere(sets, s => !s.All.IsEmpty)));

        Write("config/b.yaml", "c");
        Assert.Equal(["c"], Names(await NextWhere(sets, s => Names(s).SequenceEqual(["c"]))));
    }

    [Fact]
    public async Task Watch_ASingleFileReplaced_YieldsTheNewSet()
    {
        Write("a.yaml", "a");
        await using var sets = Watch(Full("a.yaml"));
        await Next(sets);

        File.Delete(Full("a.yaml"));
        await NextWhere(sets, s => s.All.IsEmpty);
        Write("a.yaml", "again");

        Assert.Equal(["again"], Names(await NextWhere(sets, s => !s.All.IsEmpty)));
    }

    [Fact]
    public async Task Watch_ATouchWithoutAChange_YieldsNothing()
    {
        Write("a.yaml", "a");
        await using var sets = Watch();
        var first = await Next(sets);

        File.SetLastWriteTimeUtc(Full("a.yaml"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Write("a.yaml", "a");
        Write("b.yaml", "b");

        var second = await Next(sets);
        Assert.Equal(["a", "b"], Names(second));
        Assert.NotEqual(first.Revision, second.Revision);
    }

    [Fact]
    public async Task Watch_WithoutNotifications_FindsChangesByPolling()
    {
        // The folder behind the link is in no watched folder: no notification comes.
        var elsewhere = Directory.CreateTempSubdirectory("portcullis-");
        try
        {
            File.WriteAllText(Path.Combine(elsewhere.FullName, "a.yaml"), Secret("a"));
            Directory.CreateSymbolicLink(Full("link"), elsewhere.FullName);
            await using var sets = Watch();
            Assert.Equal(["a"], Names(await Next(sets)));

            File.WriteAllText(Path.Combine(elsewhere.FullName, "b.yaml"), Secret("b"));

            Assert.Equal(["a", "b"], Names(await NextWhere(sets, s => s.All.Length == 2)));
        }
        finally
        {
            elsewhere.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Watch_ABrokenEdit_IsBelievedAfterSomeLooksAndThenRepaired()
    {
        Write("a.yaml", "a");
        await using var sets = Watch();
        await Next(sets);

        Write("a.yaml", "apiVersion: v1\nkind: [", raw: true);
        var broken = await Next(sets);
        Assert.Equal(ProblemCodes.Syntax, Assert.Single(broken.Problems).Code);

        Write("a.yaml", "repaired");
        Assert.Equal(["repaired"], Names(await NextWhere(sets, s => !s.All.IsEmpty)));
    }

    [Fact]
    public async Task Watch_Cancelled_Ends()
    {
        await using var sets = Watch();
        await Next(sets);
        await _stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await sets.MoveNextAsync());
    }

    private static string Secret(string name) => $"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n";

    private static IEnumerable<string> Names(ResourceSet set) => set.All.Select(r => r.Metadata.Name);

    private FileResourceSource Source(params string[] paths) => new(
        new FileResourceSourceOptions
        {
            Paths = paths.Length == 0 ? [_folder.FullName] : [.. paths],
            Debounce = TimeSpan.FromMilliseconds(20),
            PollInterval = TimeSpan.FromMilliseconds(500),
        },
        TimeProvider.System);

    private IAsyncEnumerator<ResourceSet> Watch(params string[] paths) => Source(paths).WatchAsync(_stop.Token).GetAsyncEnumerator(TestToken);

    private static async Task<ResourceSet> Next(IAsyncEnumerator<ResourceSet> sets)
    {
        Assert.True(await sets.MoveNextAsync());
        return sets.Current;
    }

    /// <summary>A change of several steps may be seen in between.</summary>
    private static async Task<ResourceSet> NextWhere(IAsyncEnumerator<ResourceSet> sets, Func<ResourceSet, bool> condition)
    {
        do
        {
            await Next(sets);
        }
        while (!condition(sets.Current));

        return sets.Current;
    }

    private string Full(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string content, bool raw)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(name))!);
        File.WriteAllText(Full(name), raw ? content : Secret(content));
    }

    private void Write(string name, params string[] secrets) => Write(name, string.Join("---\n", secrets.Select(Secret)), raw: true);
}
