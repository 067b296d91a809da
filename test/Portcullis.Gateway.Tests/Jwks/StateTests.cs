using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Tests.Jwks;

public sealed class StateTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "portcullis-" + Guid.NewGuid().ToString("N"));

    private JwksFetchOptions Options => new() { StateDirectory = _directory };

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_WithADeadServer_UsesTheKeysKeptOnDisk(bool discovered)
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve(
            ("/.well-known/openid-configuration", KeyServer.Text($$"""{"jwks_uri":"{{server.KeysUrl}}"}""")),
            ("/keys", KeyServer.Text(KeyServer.Set(Fetching.Key("a")))));
        var location = discovered ? Fetching.At(null, server.Origin) : Fetching.At(server.KeysUrl);
        await using (var before = new Fetching(Options))
        {
            await before.FetchAsync(location);
        }

        server.Serve("", 500);
        await using var fetching = new Fetching(Options);
        var source = fetching.Resolver.Resolve(location);

        Assert.Equal(["a"], source.Current.Keys!.Keys.Select(k => k.KeyId));
        var status = await fetching.NextAttemptAsync();
        Assert.Equal((JwksOrigin.StateDirectory, 1, true), (status.Origin, status.KeyCount, status.IsDegraded));
        Assert.Equal(fetching.Time.GetUtcNow(), status.LastSuccess);
        Assert.NotNull(source.Current.Keys);
        Assert.Contains(fetching.Log, l => l.StartsWith("Information 5005", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_OfKeys_AreTheOwnersAloneAndLeaveNoTemporary()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(Options);

        await fetching.FetchAsync(Fetching.At(server.KeysUrl + "?apikey=hunter2"));

        var file = Assert.Single(Directory.GetFiles(_directory));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory));
        }

        Assert.DoesNotContain("hunter2", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"location":null,"url":"","fetchedAt":"2030-01-01T00:00:00Z","jwks":"{}"}""")]
    public async Task Start_WithADamagedFile_HasNoKeysAndFetches(string content)
    {
        var (source, _, fetching) = await RestartAsync(_ => content);
        await using var _ = fetching;

        Assert.Null(source.Current.Keys);
    }

    [Fact]
    public async Task Start_WithAFileOfAnotherLocation_DoesNotUseIt()
    {
        var (source, _, fetching) = await RestartAsync(text => text.Replace("\"location\":\"", "\"location\":\"0", StringComparison.Ordinal));
        await using var _ = fetching;

        Assert.Null(source.Current.Keys);
    }

    [Fact]
    public async Task Start_WithKeysOfMoreThanSevenDays_DoesNotUseThem()
    {
        var (source, _, fetching) = await RestartAsync(text => text.Replace("2030-01-01", "2029-12-01", StringComparison.Ordinal));
        await using var _ = fetching;

        Assert.Null(source.Current.Keys);
    }

    [Fact]
    public async Task Start_WithAFileFromTheFuture_CountsItFromNow()
    {
        var (source, status, fetching) = await RestartAsync(text => text.Replace("2030-01-01", "2031-01-01", StringComparison.Ordinal));
        await using var _ = fetching;

        Assert.NotNull(source.Current.Keys);
        Assert.Equal(fetching.Time.GetUtcNow(), status.LastSuccess);
    }

    [Fact]
    public async Task Refresh_ThatBringsNoKeys_LeavesTheFileAlone()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(Options);
        await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        var before = await File.ReadAllBytesAsync(Directory.GetFiles(_directory).Single(), TestContext.Current.CancellationToken);

        server.Serve("""{"keys":[]}""");
        await fetching.AfterAsync(TimeSpan.FromMinutes(20));

        Assert.Equal(before, await File.ReadAllBytesAsync(Directory.GetFiles(_directory).Single(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Open_WithOldFiles_TakesThemOut()
    {
        Directory.CreateDirectory(_directory);
        var (old, foreign) = (Path.Combine(_directory, "0.jwks.json"), Path.Combine(_directory, "notes.txt"));
        File.WriteAllText(old, "{}");
        File.WriteAllText(foreign, "mine");
        File.SetLastWriteTimeUtc(old, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.SetLastWriteTimeUtc(foreign, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        _ = new JwksStateStore(_directory, TimeSpan.FromDays(7), TimeProvider.System);

        Assert.Equal([foreign], Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task Write_ThatFails_IsAWarningAndHarmsNoToken()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(Options);
        Directory.Delete(_directory);
        await File.WriteAllTextAsync(_directory, "a file", TestContext.Current.CancellationToken);

        var (source, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        File.Delete(_directory);
        Directory.CreateDirectory(_directory);

        Assert.NotNull(source.Current.Keys);
        Assert.StartsWith("the keys cannot be kept on disk: ", status.Warning, StringComparison.Ordinal);
    }

    /// <summary>Fetches once, changes the file, and starts anew with a server that hangs no longer than its first answer.</summary>
    private async Task<(Portcullis.Policy.Authentication.JwksSource Source, JwksSourceStatus Status, Fetching Fetching)> RestartAsync(Func<string, string> change)
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using (var before = new Fetching(Options))
        {
            await before.FetchAsync(Fetching.At(server.KeysUrl));
        }

        var file = Directory.GetFiles(_directory).Single();
        var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        var writtenAt = File.GetLastWriteTimeUtc(file);
        await File.WriteAllTextAsync(file, change(text), TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(file, writtenAt);
        server.Serve("", 500);
        var fetching = new Fetching(Options);
        var (source, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        return (source, status, fetching);
    }
}
