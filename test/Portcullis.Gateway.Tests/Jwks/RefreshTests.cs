using Microsoft.AspNetCore.Http;
using Portcullis.Jose;

namespace Portcullis.Gateway.Tests.Jwks;

public sealed class RefreshTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(20);

    [Fact]
    public async Task Refresh_WithEtag_IsConditionalAndKeepsTheGeneration()
    {
        await using var server = await KeyServer.StartAsync();
        var set = KeyServer.Set(Fetching.Key("a"));
        server.Answer = async context =>
        {
            context.Response.Headers.ETag = "\"v1\"";
            context.Response.Headers.LastModified = "Tue, 01 Jan 2030 00:00:00 GMT";
            if (context.Request.Headers.IfNoneMatch == "\"v1\"")
            {
                context.Response.StatusCode = 304;
                return;
            }

            await context.Response.WriteAsync(set, context.RequestAborted);
        };
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        var before = source.Current;

        var status = await fetching.AfterAsync(Interval);

        Assert.Same(before, source.Current);
        Assert.Equal((null, fetching.Time.GetUtcNow(), 2L), (status.LastFailure, status.LastSuccess, status.Attempts));
        Assert.Equal("Tue, 01 Jan 2030 00:00:00 GMT", server.Requests.Last().Headers.IfModifiedSince);
        Assert.Equal(0, server.Requests.First().Headers.IfNoneMatch.Count);
    }

    [Fact]
    public async Task Refresh_OfOtherKeys_ReplacesThemAndRaisesTheGeneration()
    {
        var (a, b) = (Fetching.Key("a"), Fetching.Key("b"));
        await using var server = await KeyServer.StartAsync(a);
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        server.Serve(KeyServer.Set(a, b));
        var overlap = await fetching.AfterAsync(Interval);
        server.Serve(KeyServer.Set(b));
        var after = await fetching.AfterAsync(Interval);

        Assert.Equal((2L, 2), (overlap.Generation, overlap.KeyCount));
        Assert.Equal((3L, 1), (after.Generation, after.KeyCount));
        Assert.Equal(JwtStatus.Ok, JsonWebToken.TryParse(JwtSigner.Sign("{}", a), out var token));
        Assert.NotEqual(JwtStatus.Ok, token!.VerifySignature(source.Current.Keys!));
    }

    [Fact]
    public async Task Refresh_OfTheSameKeysInOtherWords_KeepsTheGeneration()
    {
        var (a, b) = (Fetching.Key("a"), Fetching.Key("b"));
        await using var server = await KeyServer.StartAsync(a, b);
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        var before = source.Current;

        server.Serve($$"""  { "note": 1, "keys": [ {{b.ToJson()}} , {{a.ToJson()}}, {"kty":"unknown"} ] }""");
        var status = await fetching.AfterAsync(Interval);

        Assert.Same(before, source.Current);
        Assert.Null(status.LastFailure);
    }

    [Fact]
    public async Task Refresh_OfTheSameKeyUnderAnotherKid_IsAChange()
    {
        var key = Fetching.Key("a");
        await using var server = await KeyServer.StartAsync(key);
        await using var fetching = new Fetching();
        await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        server.Serve(KeyServer.Set(key.With(keyId: "b")));

        Assert.Equal(2, (await fetching.AfterAsync(Interval)).Generation);
    }

    [Theory]
    [InlineData(500, "")]
    [InlineData(200, "<html>")]
    [InlineData(200, """{"keys":[]}""")]
    public async Task Refresh_ThatBringsNoKeys_KeepsTheOldOnesAndRecovers(int code, string body)
    {
        var key = Fetching.Key("a");
        await using var server = await KeyServer.StartAsync(key);
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        var before = source.Current;

        server.Serve(body, code);
        var failed = await fetching.AfterAsync(Interval);
        Assert.Same(before, source.Current);
        Assert.Equal((1, 1, true), (failed.KeyCount, failed.ConsecutiveFailures, failed.IsDegraded));

        server.Serve(KeyServer.Set(key));
        var recovered = await fetching.AfterAsync(TimeSpan.FromMinutes(1));
        Assert.Same(before, source.Current);
        Assert.Equal((null, 0, false), (recovered.LastFailure, recovered.ConsecutiveFailures, recovered.IsDegraded));
        Assert.Contains(fetching.Log, l => l.StartsWith("Warning 5002", StringComparison.Ordinal) && l.Contains("the last good keys stay in force", StringComparison.Ordinal));
        Assert.Contains(fetching.Log, l => l.StartsWith("Information 5003", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refresh_FailingForLong_BacksOffToAnHourAndGivesTheKeysUpAfterSevenDays()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();
        var (source, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        var start = fetching.Time.GetUtcNow();
        server.Serve("", 500);
        status = await fetching.AfterAsync(status.NextTry!.Value - fetching.Time.GetUtcNow());

        var minutes = new List<int>();
        while (status.KeyCount > 0)
        {
            var wait = status.NextTry!.Value - fetching.Time.GetUtcNow();
            minutes.Add((int)Math.Ceiling(wait.TotalMinutes));
            status = await fetching.AfterAsync(wait);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32], minutes.Take(6).Zip([1, 2, 4, 8, 16, 32], (seen, nominal) => seen <= nominal && seen >= nominal * 0.9 ? nominal : seen));
        Assert.All(minutes.Skip(6).SkipLast(1), m => Assert.InRange(m, 54, 60));
        Assert.Equal(TimeSpan.FromDays(7), fetching.Time.GetUtcNow() - start);
        Assert.Null(source.Current.Keys);
        Assert.Equal((2L, JwtStatus.VerificationFailed), (source.Current.Generation, source.Current.WhenMissing));
        Assert.Contains(fetching.Log, l => l.StartsWith("Error 5004", StringComparison.Ordinal));

        server.Serve(KeyServer.Set(Fetching.Key("b")));
        Assert.Equal(3, (await fetching.AfterAsync(TimeSpan.FromMinutes(1))).Generation);
    }

    [Fact]
    public async Task Fetch_OfAServerThatStartsLate_IsTriedAgainWithinSeconds()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve("", 503);
        await using var fetching = new Fetching();
        var (source, first) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));
        Assert.InRange(first.NextTry!.Value - fetching.Time.GetUtcNow(), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(1));

        var second = await fetching.AfterAsync(TimeSpan.FromSeconds(1));
        Assert.InRange(second.NextTry!.Value - fetching.Time.GetUtcNow(), TimeSpan.FromSeconds(1.8), TimeSpan.FromSeconds(2));
        server.Serve(KeyServer.Set(Fetching.Key("a")));
        await fetching.AfterAsync(TimeSpan.FromSeconds(2));

        Assert.NotNull(source.Current.Keys);
    }

    [Fact]
    public async Task Refresh_OnTheSystemsClock_ComesByItself()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(new() { RefreshInterval = TimeSpan.FromMilliseconds(100) }, TimeProvider.System);
        var (_, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        for (var generation = 1; generation <= 5; generation++)
        {
            while (status.Generation < generation)
            {
                status = await fetching.NextAttemptAsync();
                Assert.Null(status.LastFailure);
            }

            server.Serve(KeyServer.Set(Fetching.Key("key-" + generation)));
        }

        Assert.Equal(5, status.Generation);
    }

    [Fact]
    public async Task KeyNotFound_TenThousandTimes_CausesOneExtraFetchAnInterval()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Flood();
        await fetching.NextAttemptAsync();
        Flood();
        fetching.Time.Advance(Interval / 2);
        Flood();
        Assert.False(fetching.HasAttempt);

        await fetching.AfterAsync(Interval / 2);
        Assert.Equal(3, server.Requests.Count);
        Flood();
        await fetching.NextAttemptAsync();
        Flood();
        await fetching.AfterAsync(Interval);
        Assert.Equal(5, server.Requests.Count);

        void Flood() => Parallel.For(0, 10_000, i => source.KeyNotFound("random-" + i));
    }

    [Fact]
    public async Task KeyNotFound_AfterARotation_BringsTheNewKeyAtOnce()
    {
        var (a, b) = (Fetching.Key("a"), Fetching.Key("b"));
        await using var server = await KeyServer.StartAsync(a);
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        server.Serve(KeyServer.Set(a, b));
        source.KeyNotFound("b");

        Assert.Equal(["a", "b"], (await fetching.NextAttemptAsync()).KeyIds);
        Assert.Contains(fetching.Log, l => l.StartsWith("Information 5007", StringComparison.Ordinal));
    }

    [Fact]
    public async Task KeyNotFound_WithoutKeys_LeavesTheBackoffAlone()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve("", 500);
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        source.KeyNotFound("a");
        await fetching.AfterAsync(TimeSpan.FromSeconds(1));

        Assert.Equal(2, server.Requests.Count);
    }
}
