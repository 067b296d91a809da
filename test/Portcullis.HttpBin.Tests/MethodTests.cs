using System.Net;

namespace Portcullis.HttpBin.Tests;

public sealed class MethodTests(HttpBinFixture bin)
{
    [Theory]
    [InlineData("/get")]
    [InlineData("/html")]
    [InlineData("/bytes/10")]
    [InlineData("/anything")]
    public async Task Head_OfAGetEndpoint_HasItsLengthAndNoBody(string path)
    {
        using var get = await bin.SendAsync("GET", path);
        using var head = await bin.SendAsync("HEAD", path);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.True(head.Content.Headers.ContentLength > 0 || path == "/anything");
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.NotEmpty(await get.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Options_OfAnyEndpoint_NamesItsMethodsAndAllowsTheOrigin()
    {
        using var response = await bin.SendAsync(
            "OPTIONS", "/get", null, ("Origin", "http://app.test"), ("Access-Control-Request-Headers", "x-one"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["GET", "HEAD", "OPTIONS"], response.Content.Headers.Allow.Order(StringComparer.Ordinal));
        Assert.Equal(["http://app.test"], response.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["x-one"], response.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.Equal(0, response.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("POST", "/get", 405)]
    [InlineData("GET", "/post", 405)]
    [InlineData("HEAD", "/post", 405)]
    [InlineData("PURGE", "/anything", 405)]
    [InlineData("GET", "/nowhere", 404)]
    [InlineData("GET", "/get/", 404)]
    [InlineData("GET", "/status/", 404)]
    [InlineData("OPTIONS", "/nowhere", 404)]
    public async Task Send_OfAWrongMethodOrPath_IsRefused(string method, string path, int expected)
    {
        using var response = await bin.SendAsync(method, path);

        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Equal(expected == 405, response.Content.Headers.Allow.Count > 0);
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/html", "text/html")]
    [InlineData("/json", "application/json")]
    [InlineData("/robots.txt", "text/plain")]
    [InlineData("/deny", "text/plain")]
    [InlineData("/healthz", "text/plain")]
    [InlineData("/readyz", "text/plain")]
    public async Task Pages_AskedFor_AreThere(string path, string contentType)
    {
        using var response = await bin.SendAsync("GET", path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(contentType, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("httpbin", response.Headers.Server.ToString());
    }
}
