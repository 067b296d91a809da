using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Jwks;
using Portcullis.Jose;

namespace Portcullis.Gateway.Tests.Jwks;

public sealed class FetchTests
{
    private static readonly TimeSpan RuleTimeout = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Fetch_OfAKeySet_VerifiesTokensOfItsKeys()
    {
        var key = Fetching.Key("a");
        await using var server = await KeyServer.StartAsync(key);
        await using var fetching = new Fetching();

        var (source, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Assert.Equal(JwtStatus.Ok, JsonWebToken.TryParse(JwtSigner.Sign("""{"iss":"x"}""", key), out var token));
        Assert.Equal(JwtStatus.Ok, token!.VerifySignature(source.Current.Keys!));
        Assert.Equal(1, source.Current.Generation);
        Assert.Equal((1, 1L, null, JwksOrigin.KeyServer, false), (status.KeyCount, status.Generation, status.LastFailure, status.Origin, status.IsDegraded));
        Assert.Equal(["a"], status.KeyIds);
        Assert.Equal(fetching.Time.GetUtcNow(), status.LastSuccess);
    }

    [Fact]
    public async Task Resolve_OfAServerThatHangs_ReturnsAtOnceWithoutKeysAndFailsClosed()
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = KeyServer.Hang;
        await using var fetching = new Fetching();

        var source = fetching.Resolver.Resolve(Fetching.At(server.KeysUrl));

        Assert.Null(source.Current.Keys);
        Assert.Equal(JwtStatus.VerificationFailed, source.Current.WhenMissing);
        await UntilAsync(server, 1);
        var status = await fetching.AfterAsync(RuleTimeout);
        Assert.Equal("no whole answer within 5 s", status.LastFailure);
        Assert.Null(source.Current.Keys);
    }

    [Fact]
    public async Task Fetch_OfABodyThatDrips_EndsAtTheDeadlineOfTheWhole()
    {
        await using var server = await KeyServer.StartAsync();
        using var more = new SemaphoreSlim(0);
        server.Answer = async context =>
        {
            while (await more.WaitAsync(Timeout.Infinite, context.RequestAborted).ContinueWith(t => t.IsCompletedSuccessfully, TaskScheduler.Default))
            {
                await context.Response.WriteAsync(" ", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        };
        await using var fetching = new Fetching();
        fetching.Resolver.Resolve(Fetching.At(server.KeysUrl));
        await UntilAsync(server, 1);

        for (var i = 0; i < 2; i++)
        {
            more.Release();
            fetching.Time.Advance(RuleTimeout * 0.4);
        }

        Assert.False(fetching.HasAttempt);
        Assert.Equal("no whole answer within 5 s", (await fetching.AfterAsync(RuleTimeout * 0.4)).LastFailure);
    }

    [Theory]
    [InlineData(500, """{"keys":[]}""", "the server answered 500")]
    [InlineData(404, "", "the server answered 404")]
    [InlineData(304, "", "the server answered 304")]
    [InlineData(200, "", "no usable key: Jwks is an invalid JSON")]
    [InlineData(200, "<!DOCTYPE html><title>Sign in</title>", "no usable key: Jwks is an invalid JSON")]
    [InlineData(200, "[]", "no usable key: Jwks is an invalid JSON")]
    [InlineData(200, "{}", "no usable key: Jwks does not have [keys] field")]
    [InlineData(200, """{"keys":{}}""", "no usable key: [keys] in Jwks is not an array")]
    [InlineData(200, """{"keys":[]}""", "no usable key: Jwks doesn't have any valid public key")]
    [InlineData(200, """{"keys":[{"kty":"secret-kty"}]}""", "no usable key: [kty] is not supported in [keys]")]
    public async Task Fetch_OfAnAnswerWithoutAKey_FailsWithTheReasonAndNoneOfItsBytes(int code, string body, string reason)
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = async context =>
        {
            context.Response.StatusCode = code;
            if (body.Length > 0)
            {
                await context.Response.WriteAsync(body, context.RequestAborted);
            }
        };
        await using var fetching = new Fetching();

        var (source, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Assert.Equal(reason, status.LastFailure);
        Assert.Null(source.Current.Keys);
        Assert.Equal(0, source.Current.Generation);
        Assert.True(status.IsDegraded);
        Assert.DoesNotContain(fetching.Log, l => l.Contains("Sign in", StringComparison.Ordinal) || l.Contains("secret-kty", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fetch_OfTenMebibytes_StopsAtTheBound(bool saysItsLength)
    {
        await using var server = await KeyServer.StartAsync();
        var sent = 0L;
        server.Answer = async context =>
        {
            if (saysItsLength)
            {
                context.Response.ContentLength = 10 * 1024 * 1024;
            }

            var chunk = new byte[64 * 1024];
            for (var i = 0; i < 160 && !context.RequestAborted.IsCancellationRequested; i++)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
                Interlocked.Add(ref sent, chunk.Length);
            }
        };
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Assert.Equal("the answer is longer than 1048576 bytes", status.LastFailure);
    }

    [Fact]
    public async Task Fetch_OfABodyThatEndsEarly_Fails()
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{\"keys\"", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
        };
        await using var fetching = new Fetching();

        var (source, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Assert.NotNull(status.LastFailure);
        Assert.Null(source.Current.Keys);
    }

    [Fact]
    public async Task Fetch_OfACompressedAnswer_IsRefusedUnread()
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(KeyServer.Set(Fetching.Key("a"))), context.RequestAborted);
        };
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl));

        Assert.Equal("the answer is compressed, which was not asked for", status.LastFailure);
        Assert.Equal("identity", server.Requests.Single().Headers.AcceptEncoding);
    }

    [Fact]
    public async Task Fetch_WithNobodyListening_SaysSo()
    {
        var server = await KeyServer.StartAsync();
        var url = server.KeysUrl;
        await server.DisposeAsync();
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(url));

        Assert.Equal("connection refused", status.LastFailure);
    }

    [Fact]
    public async Task Fetch_OfAByteOrderMark_ReadsWhatFollows()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve("\uFEFF" + KeyServer.Set(Fetching.Key("a")));
        await using var fetching = new Fetching();

        Assert.Equal(1, (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.KeyCount);
    }

    [Theory]
    [InlineData("ftp://keys.test/a")]
    [InlineData("keys.test/a")]
    [InlineData("file:///etc/passwd")]
    public async Task Fetch_OfWhatIsNoHttpUrl_FailsForGood(string url)
    {
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(url));

        Assert.Equal("jwksUri is not an http or https URL", status.LastFailure);
        Assert.Null(status.NextTry);
    }

    [Fact]
    public async Task Fetch_OfAUrlWithCredentials_SendsThemAndShowsThemNowhere()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve("", 503);
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl.Replace("://", "://user:hunter2@", StringComparison.Ordinal) + "?apikey=hunter3"));

        Assert.Equal("Basic " + Convert.ToBase64String("user:hunter2"u8), server.Requests.Single().Headers.Authorization);
        Assert.Equal(server.KeysUrl, status.Url);
        var line = Assert.Single(fetching.Log);
        Assert.DoesNotContain("hunter", line, StringComparison.Ordinal);
        Assert.Matches("^Warning 5002 keys of issuer https://issuer.test cannot be fetched from .*/keys: the server answered 503; its tokens are refused; next try at 2030-01-01 00:00:0", line);
    }

    [Fact]
    public async Task Dispose_WhileAFetchHangs_EndsAtOnce()
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = KeyServer.Hang;
        var fetching = new Fetching();
        fetching.Resolver.Resolve(Fetching.At(server.KeysUrl));
        await UntilAsync(server, 1);

        await fetching.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.Throws<ObjectDisposedException>(() => fetching.Resolver.Resolve(Fetching.At(server.KeysUrl)));
    }

    [Fact]
    public async Task WaitForFirstAttempt_OfADeadServer_EndsAtItsBound()
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = KeyServer.Hang;
        await using var fetching = new Fetching();
        fetching.Resolver.Resolve(Fetching.At(server.KeysUrl));
        await UntilAsync(server, 1);

        var wait = fetching.Resolver.WaitForFirstAttemptAsync(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        Assert.False(wait.IsCompleted);
        fetching.Time.Advance(TimeSpan.FromSeconds(2));

        Assert.False(await wait);
    }

    [Fact]
    public async Task WaitForFirstAttempt_OfAServerThatAnswers_HasItsKeys()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();
        var source = fetching.Resolver.Resolve(Fetching.At(server.KeysUrl));

        Assert.True(await fetching.Resolver.WaitForFirstAttemptAsync(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken));
        Assert.NotNull(source.Current.Keys);
    }

    [Fact]
    public async Task Fetch_BehindAServerThatHangs_WaitsNoLongerThanASecondForItsTurn()
    {
        await using var hanging = await KeyServer.StartAsync();
        hanging.Answer = KeyServer.Hang;
        await using var good = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(new JwksFetchOptions { ConcurrentFetches = 1 });
        fetching.Resolver.Resolve(Fetching.At(hanging.KeysUrl, "https://hanging.test"));
        await UntilAsync(hanging, 1);
        var source = fetching.Resolver.Resolve(Fetching.At(good.KeysUrl));
        Assert.Null(source.Current.Keys);

        var status = await fetching.AfterAsync(TimeSpan.FromSeconds(1));

        Assert.Equal(("https://issuer.test", 1), (status.Issuer, status.KeyCount));
        Assert.NotNull(source.Current.Keys);
    }

    /// <summary>Waits until a server has got a number of requests.</summary>
    internal static async Task UntilAsync(KeyServer server, int requests)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (server.Requests.Count < requests)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
