using System.Net;
using Portcullis.Gateway.Jwks;

namespace Portcullis.Gateway.Tests.Jwks;

public sealed class RedirectAndTargetTests
{
    private const string Refused = "an address that key fetches may not use";

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Fetch_OfThreeRedirects_FollowsThem(int status)
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve(
            ("/keys", KeyServer.Redirect("/1", status)),
            ("/1", KeyServer.Redirect("2", status)),
            ("/2", KeyServer.Redirect(server.Origin + "/3", status)),
            ("/3", KeyServer.Text(KeyServer.Set(Fetching.Key("a")))));
        await using var fetching = new Fetching();

        Assert.Equal(1, (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.KeyCount);
        Assert.Equal(["/keys", "/1", "/2", "/3"], server.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task Fetch_OfARedirectLoop_EndsAfterThree()
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = KeyServer.Redirect("/keys");
        await using var fetching = new Fetching();

        Assert.Equal("more than 3 redirects", (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.LastFailure);
        Assert.Equal(4, server.Requests.Count);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/", Refused)]
    [InlineData("http://[fd00:ec2::254]/", Refused)]
    [InlineData("http://[::ffff:169.254.169.254]/", Refused)]
    [InlineData("http://2852039166/", Refused)]
    [InlineData("http://100.100.100.200/", Refused)]
    [InlineData("http://0.0.0.0/", Refused)]
    [InlineData("file:///etc/passwd", "a redirect to something other than http or https")]
    [InlineData("ftp://keys.test/", "a redirect to something other than http or https")]
    public async Task Fetch_OfARedirectToWhatIsNotAllowed_Fails(string target, string reason)
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = KeyServer.Redirect(target);
        await using var fetching = new Fetching();

        Assert.Contains(reason, (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_OfARedirectWithoutTarget_Fails()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve("", 302);
        await using var fetching = new Fetching();

        Assert.Equal("a redirect without a target", (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.LastFailure);
    }

    [Fact]
    public async Task Fetch_OfANameThatResolvesToMetadata_IsRefusedAfterResolution()
    {
        await using var fetching = new Fetching(Resolving("169.254.169.254", "fd00:ec2::254"));

        var (_, status) = await fetching.FetchAsync(Fetching.At("http://keys.test/"));

        Assert.Equal(
            "`keys.test` has only addresses that key fetches may not use (link-local, cloud metadata or blocked)", status.LastFailure);
    }

    [Fact]
    public async Task Fetch_OfANameWithOneGoodAddress_UsesThatOne()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(Resolving("169.254.169.254", "127.0.0.1"));

        Assert.Equal(1, (await fetching.FetchAsync(Fetching.At($"http://keys.test:{server.Port}/"))).Status.KeyCount);
    }

    [Fact]
    public async Task Fetch_OfANameWhoseFirstAddressIsDead_TriesTheNext()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(Resolving("127.0.0.99", "127.0.0.1"));

        Assert.Equal(1, (await fetching.FetchAsync(Fetching.At($"http://keys.test:{server.Port}/"))).Status.KeyCount);
    }

    [Fact]
    public async Task Fetch_OfARedirectToANameOfMetadata_IsRefused()
    {
        await using var server = await KeyServer.StartAsync();
        server.Answer = KeyServer.Redirect("http://metadata.test/");
        await using var fetching = new Fetching(Resolving("169.254.169.254"));

        Assert.Contains("`metadata.test` has only addresses", (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.LastFailure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_FromLoopback_IsAnOption()
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching(new JwksFetchOptions { AllowPrivateAddresses = false });

        Assert.Contains(Refused, (await fetching.FetchAsync(Fetching.At(server.KeysUrl))).Status.LastFailure, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Fetch_RedirectedToAnotherOrigin_DoesNotTakeTheSecretsAlong()
    {
        await using var other = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var server = await KeyServer.StartAsync();
        server.Answer = KeyServer.Redirect(other.KeysUrl);
        await using var fetching = new Fetching();
        var url = server.KeysUrl.Replace("://", "://user:pass@", StringComparison.Ordinal);

        var (_, status) = await fetching.FetchAsync(Fetching.At(url, "https://issuer.test", (JwksAnnotations.Headers, "X-Api-Key: s3cret\n")));

        Assert.Equal(1, status.KeyCount);
        Assert.Equal("s3cret", server.Requests.Single().Headers["X-Api-Key"]);
        Assert.Equal(1, server.Requests.Single().Headers.Authorization.Count);
        Assert.Equal(0, other.Requests.Single().Headers["X-Api-Key"].Count);
        Assert.Equal(0, other.Requests.Single().Headers.Authorization.Count);
    }

    [Fact]
    public async Task Fetch_ThroughTheProxyOfAnAnnotation_AsksIt()
    {
        await using var proxy = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At("http://keys.test/jwks", "https://issuer.test", (JwksAnnotations.Proxy, proxy.Origin)));

        Assert.Equal(1, status.KeyCount);
        Assert.Equal("keys.test", proxy.Requests.Single().Headers.Host);
    }

    [Theory]
    [InlineData(JwksAnnotations.Proxy, "https://proxy.test")]
    [InlineData(JwksAnnotations.Proxy, "proxy.test:80")]
    [InlineData(JwksAnnotations.Authorities, "/etc/ssl/ca.pem")]
    [InlineData(JwksAnnotations.Headers, "no colon")]
    [InlineData(JwksAnnotations.Headers, "Host: other.test")]
    [InlineData(JwksAnnotations.Headers, "A b: c")]
    public async Task Fetch_WithAWrongAnnotation_FailsForGoodAndNamesIt(string name, string value)
    {
        await using var server = await KeyServer.StartAsync(Fetching.Key("a"));
        await using var fetching = new Fetching();

        var (source, status) = await fetching.FetchAsync(Fetching.At(server.KeysUrl, "https://issuer.test", (name, value)));

        Assert.StartsWith($"the annotation `{name}` ", status.LastFailure, StringComparison.Ordinal);
        Assert.DoesNotContain(value, status.LastFailure, StringComparison.Ordinal);
        Assert.Null(status.NextTry);
        Assert.Null(source.Current.Keys);
    }

    private static JwksFetchOptions Resolving(params string[] addresses) => new()
    {
        ResolveHost = (_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()),
    };
}
