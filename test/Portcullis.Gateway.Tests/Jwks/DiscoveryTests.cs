namespace Portcullis.Gateway.Tests.Jwks;

public sealed class DiscoveryTests
{
    private const string WellKnown = "/.well-known/openid-configuration";

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/realms/one")]
    [InlineData("/realms/one/")]
    public async Task Fetch_WithoutJwksUri_AsksTheIssuersDocument(string path)
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve(
            (path.TrimEnd('/') + WellKnown, KeyServer.Text($$"""{"issuer":"https://other.test","jwks_uri":"{{server.KeysUrl}}"}""")),
            ("/keys", KeyServer.Text(KeyServer.Set(Fetching.Key("a")))));
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(null, server.Origin + path));

        Assert.Equal((1, server.KeysUrl, true), (status.KeyCount, status.Url, status.IsDiscovered));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"jwks_uri":7}""")]
    [InlineData("""{"jwks_uri":"/keys"}""")]
    [InlineData("""{"jwks_uri":"ftp://leak.test/"}""")]
    [InlineData("""{"jwks_uri":"http://a.test/","jwks_uri":"http://b.test/"}""")]
    public async Task Fetch_OfADocumentWithoutAUsableJwksUri_Fails(string document)
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve(document);
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(null, server.Origin));

        Assert.Equal("OpenID discovery: invalid jwks_uri in openID discovery configuration", status.LastFailure);
        Assert.Equal(server.Origin + WellKnown, status.Url);
    }

    [Fact]
    public async Task Fetch_OfADocumentThatNamesMetadata_IsRefused()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve("""{"jwks_uri":"http://169.254.169.254/keys"}""");
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(null, server.Origin));

        Assert.Contains("may not use", status.LastFailure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("accounts")]
    [InlineData("urn:issuer")]
    public async Task Fetch_OfAnIssuerThatIsNoUrl_FailsForGood(string? issuer)
    {
        await using var fetching = new Fetching();

        var (_, status) = await fetching.FetchAsync(Fetching.At(null, issuer));

        Assert.StartsWith("without jwksUri the issuer has to be", status.LastFailure, StringComparison.Ordinal);
        Assert.Null(status.NextTry);
    }

    [Fact]
    public async Task Refresh_AfterTheDocumentHasGone_UsesTheUrlItNamedAndWarns()
    {
        await using var server = await KeyServer.StartAsync();
        var keys = KeyServer.Text(KeyServer.Set(Fetching.Key("a")));
        server.Serve((WellKnown, KeyServer.Text($$"""{"jwks_uri":"{{server.KeysUrl}}"}""")), ("/keys", keys));
        await using var fetching = new Fetching();
        await fetching.FetchAsync(Fetching.At(null, server.Origin));

        server.Serve(("/keys", KeyServer.Text(KeyServer.Set(Fetching.Key("b")))));
        var status = await fetching.AfterAsync(TimeSpan.FromMinutes(20));

        Assert.Null(status.LastFailure);
        Assert.Equal(["b"], status.KeyIds);
        Assert.Equal("OpenID discovery: the server answered 404", status.Warning);
        Assert.Contains(fetching.Log, l => l.StartsWith("Warning 5006", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refresh_AfterTheDocumentNamesAnotherUrl_FollowsIt()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve((WellKnown, KeyServer.Text($$"""{"jwks_uri":"{{server.KeysUrl}}"}""")), ("/keys", KeyServer.Text(KeyServer.Set(Fetching.Key("a")))));
        await using var fetching = new Fetching();
        await fetching.FetchAsync(Fetching.At(null, server.Origin));

        server.Serve((WellKnown, KeyServer.Text($$"""{"jwks_uri":"{{server.Origin}}/new"}""")), ("/new", KeyServer.Text(KeyServer.Set(Fetching.Key("b")))));
        var status = await fetching.AfterAsync(TimeSpan.FromMinutes(20));

        Assert.Equal((server.Origin + "/new", 2L), (status.Url, status.Generation));
    }

    [Fact]
    public async Task KeyNotFound_OfADiscoveredSource_AsksForTheKeysOnly()
    {
        await using var server = await KeyServer.StartAsync();
        server.Serve((WellKnown, KeyServer.Text($$"""{"jwks_uri":"{{server.KeysUrl}}"}""")), ("/keys", KeyServer.Text(KeyServer.Set(Fetching.Key("a")))));
        await using var fetching = new Fetching();
        var (source, _) = await fetching.FetchAsync(Fetching.At(null, server.Origin));

        source.KeyNotFound("b");
        await fetching.NextAttemptAsync();

        Assert.Equal([WellKnown, "/keys", "/keys"], server.Requests.Select(r => r.Path));
    }
}
