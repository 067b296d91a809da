using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Portcullis.HttpBin.Tests;

public sealed class AnswerTests(HttpBinFixture bin)
{
    [Theory]
    [InlineData("GET", "/status/200", 200)]
    [InlineData("POST", "/status/503", 503)]
    [InlineData("GET", "/status/204", 204)]
    [InlineData("GET", "/status/418", 418)]
    [InlineData("GET", "/status/406", 406)]
    [InlineData("GET", "/status/200:0,500:1", 500)]
    [InlineData("GET", "/status/429,429:3", 429)]
    [InlineData("GET", "/status/abc", 400)]
    [InlineData("GET", "/status/200:x", 400)]
    [InlineData("GET", "/status/100", 400)]
    [InlineData("GET", "/status/600", 400)]
    public async Task Status_OfCodes_AnswersOneOfThem(string method, string path, int expected)
    {
        using var response = await bin.SendAsync(method, path);

        Assert.Equal(expected, (int)response.StatusCode);
    }

    [Fact]
    public async Task Status_OfTwoCodes_AnswersBoth()
    {
        var seen = new HashSet<HttpStatusCode>();
        for (var i = 0; i < 200 && seen.Count < 2; i++)
        {
            using var response = await bin.SendAsync("GET", "/status/200:1,500:1");
            seen.Add(response.StatusCode);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.InternalServerError], seen.Order());
    }

    [Theory]
    [InlineData(302, "Location")]
    [InlineData(401, "WWW-Authenticate")]
    [InlineData(407, "Proxy-Authenticate")]
    public async Task Status_ThatNeedsAHeader_HasIt(int code, string header)
    {
        using var response = await bin.SendAsync("GET", $"/status/{code}");

        Assert.True(response.Headers.Contains(header));
    }

    [Fact]
    public async Task Bearer_WithAndWithoutToken_TellsOrChallenges()
    {
        var accepted = await bin.JsonAsync("GET", "/bearer", null, ("Authorization", "Bearer a.b.c"));
        using var refused = await bin.SendAsync("GET", "/bearer");

        Assert.Equal("a.b.c", accepted.GetProperty("token").GetString());
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [InlineData("/basic-auth/u/p", "u:p", 200)]
    [InlineData("/basic-auth/u/p", "u:q", 401)]
    [InlineData("/hidden-basic-auth/u/p", "u:p", 200)]
    [InlineData("/hidden-basic-auth/u/p", "u:q", 404)]
    public async Task BasicAuth_OfCredentials_TakesOnlyTheNamedOnes(string path, string credentials, int expected)
    {
        using var response = await bin.SendAsync(
            "GET", path, null, ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))));

        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Equal(expected == 401, response.Headers.WwwAuthenticate.Count > 0);
    }

    [Theory]
    [InlineData("/redirect/1", "/get")]
    [InlineData("/redirect/3", "/relative-redirect/2")]
    [InlineData("/relative-redirect/2", "/relative-redirect/1")]
    [InlineData("/absolute-redirect/2", "{base}absolute-redirect/1")]
    [InlineData("/redirect/2?absolute=true", "{base}absolute-redirect/1")]
    [InlineData("/redirect-to?url=http%3A%2F%2Fexample.test%2F", "http://example.test/")]
    public async Task Redirects_OfN_PointOneStepNearer(string path, string location)
    {
        using var response = await bin.SendAsync("GET", path);

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.Equal(location.Replace("{base}", bin.Server.BaseAddress.ToString(), StringComparison.Ordinal), response.Headers.Location?.OriginalString);
    }

    [Theory]
    [InlineData("/redirect/0", 404)]
    [InlineData("/redirect/x", 404)]
    [InlineData("/redirect-to", 400)]
    [InlineData("/redirect-to?url=a%0Db", 400)]
    [InlineData("/redirect-to?url=/get&status_code=307", 307)]
    [InlineData("/redirect-to?url=/get&status_code=200", 302)]
    public async Task Redirects_OfOddInput_AreBounded(string path, int expected)
    {
        using var response = await bin.SendAsync("GET", path);

        Assert.Equal(expected, (int)response.StatusCode);
    }

    [Fact]
    public async Task Cookies_SetShownAndDeleted_RoundTrip()
    {
        var shown = await bin.JsonAsync("GET", "/cookies", null, ("Cookie", "a=1; b=x%20y=z; a=2"));
        using var set = await bin.SendAsync("GET", "/cookies/set?a=1&b=x%20y");
        using var one = await bin.SendAsync("GET", "/cookies/set/c/3");
        using var deleted = await bin.SendAsync("GET", "/cookies/delete?a");

        Assert.Equal("""{"a":"1","b":"x%20y=z"}""", JsonSerializer.Serialize(shown.GetProperty("cookies")));
        Assert.Equal(["a=1; Path=/", "b=x%20y; Path=/"], set.Headers.GetValues("Set-Cookie"));
        Assert.Equal(["c=3; Path=/"], one.Headers.GetValues("Set-Cookie"));
        Assert.Contains("Max-Age=0", deleted.Headers.GetValues("Set-Cookie").Single(), StringComparison.Ordinal);
        Assert.Equal("/cookies", set.Headers.Location?.OriginalString);
    }

    [Theory]
    [InlineData("/gzip", "gzip", "gzipped")]
    [InlineData("/deflate", "deflate", "deflated")]
    [InlineData("/brotli", "br", "brotli")]
    public async Task Encodings_AskedFor_AreReal(string path, string coding, string flag)
    {
        using var response = await bin.SendAsync("GET", path);
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await using Stream plain = coding switch
        {
            "gzip" => new GZipStream(body, CompressionMode.Decompress),
            "deflate" => new ZLibStream(body, CompressionMode.Decompress),
            _ => new BrotliStream(body, CompressionMode.Decompress),
        };
        using var report = await JsonDocument.ParseAsync(plain, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal([coding], response.Content.Headers.ContentEncoding);
        Assert.True(report.RootElement.GetProperty(flag).GetBoolean());
    }

    [Theory]
    [InlineData("/base64/SFRUUEJJTiBpcyBhd2Vzb21l", "HTTPBIN is awesome")]
    [InlineData("/base64/Pz8_", "???")]
    [InlineData("/base64/YQ", "a")]
    [InlineData("/base64/!!!", "Incorrect Base64 data try: SFRUUEJJTiBpcyBhd2Vzb21l")]
    public async Task Base64_OfAValue_IsDecoded(string path, string expected)
    {
        using var response = await bin.SendAsync("GET", path);

        Assert.Equal(expected, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/bytes/0", 0)]
    [InlineData("/bytes/1000", 1000)]
    [InlineData("/bytes/999999999", 102_400)]
    public async Task Bytes_OfN_AreNButAtMost100KiB(string path, int expected)
    {
        using var response = await bin.SendAsync("GET", path);

        Assert.Equal(expected, (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length);
    }

    [Fact]
    public async Task Bytes_OfOneSeed_AreTheSame()
    {
        using var first = await bin.SendAsync("GET", "/bytes/64?seed=7");
        using var second = await bin.SendAsync("GET", "/bytes/64?seed=7");

        Assert.Equal(
            await first.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken),
            await second.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Stream_OfN_IsALineOfJsonEach()
    {
        using var response = await bin.SendAsync("GET", "/stream/3");
        var lines = (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).TrimEnd('\n').Split('\n');

        Assert.Equal([0, 1, 2], lines.Select(l => JsonElement.Parse(l).GetProperty("id").GetInt32()));
        Assert.True(response.Headers.TransferEncodingChunked);
    }

    [Fact]
    public async Task Uuid_AskedForTwice_Differs()
    {
        var first = (await bin.JsonAsync("GET", "/uuid")).GetProperty("uuid").GetGuid();
        var second = (await bin.JsonAsync("GET", "/uuid")).GetProperty("uuid").GetGuid();

        Assert.NotEqual(first, second);
    }
}
