using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Portcullis.HttpBin.Tests;

public sealed class InspectionTests(HttpBinFixture bin)
{
    [Fact]
    public async Task Get_WithQueryAndHeaders_ReportsThem()
    {
        var report = await bin.JsonAsync("GET", "/get?a=1&b=2&b=3&c=", null, ("X-Line", "one"), ("X-Line", "two"), ("User-Agent", "probe/1"));

        Assert.Equal(["args", "headers", "origin", "url"], report.EnumerateObject().Select(m => m.Name));
        Assert.Equal("1", report.GetProperty("args").GetProperty("a").GetString());
        Assert.Equal(["2", "3"], report.GetProperty("args").GetProperty("b").EnumerateArray().Select(v => v.GetString()));
        Assert.Equal("", report.GetProperty("args").GetProperty("c").GetString());
        Assert.Equal("127.0.0.1", report.GetProperty("origin").GetString());
        Assert.Equal(new Uri(bin.Server.BaseAddress, "/get?a=1&b=2&b=3&c=").ToString(), report.GetProperty("url").GetString());
        Assert.Equal("probe/1", report.GetProperty("headers").GetProperty("User-Agent").GetString());
        Assert.Matches("^one, ?two$", report.GetProperty("headers").GetProperty("X-Line").GetString()!);
    }

    [Theory]
    [InlineData("POST", "/post")]
    [InlineData("PUT", "/put")]
    [InlineData("PATCH", "/patch")]
    [InlineData("DELETE", "/delete")]
    [InlineData("POST", "/anything")]
    [InlineData("PUT", "/anything/deep/er")]
    public async Task BodyEndpoints_WithJson_ReportItRawAndParsed(string method, string path)
    {
        using var content = new StringContent("""{"b":[1,"ä"]}""", Encoding.UTF8, "application/json");

        var report = await bin.JsonAsync(method, path, content);

        Assert.Equal("""{"b":[1,"ä"]}""", report.GetProperty("data").GetString());
        Assert.Equal("ä", report.GetProperty("json").GetProperty("b")[1].GetString());
        Assert.Equal(JsonValueKind.Object, report.GetProperty("form").ValueKind);
        Assert.Equal(path.StartsWith("/anything", StringComparison.Ordinal), report.TryGetProperty("method", out var shown));
        Assert.True(shown.ValueKind == JsonValueKind.Undefined || shown.GetString() == method);
    }

    [Fact]
    public async Task Post_WithForm_ReportsFieldsAndNoData()
    {
        using var content = new FormUrlEncodedContent([new("name", "Ada"), new("tag", "x"), new("tag", "y")]);

        var report = await bin.JsonAsync("POST", "/post", content);

        Assert.Equal("Ada", report.GetProperty("form").GetProperty("name").GetString());
        Assert.Equal(2, report.GetProperty("form").GetProperty("tag").GetArrayLength());
        Assert.Equal("", report.GetProperty("data").GetString());
        Assert.Equal(JsonValueKind.Null, report.GetProperty("json").ValueKind);
    }

    [Fact]
    public async Task Post_WithFiles_ReportsTextOrDataUrl()
    {
        using var binary = new ByteArrayContent([0xff, 0x00]);
        binary.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        using var text = new StringContent("hello");
        using var content = new MultipartFormDataContent { { binary, "picture", "p.png" }, { text, "note", "n.txt" } };

        var report = await bin.JsonAsync("POST", "/post", content);

        Assert.Equal("data:image/png;base64,/wA=", report.GetProperty("files").GetProperty("picture").GetString());
        Assert.Equal("hello", report.GetProperty("files").GetProperty("note").GetString());
    }

    [Fact]
    public async Task Post_WithBytesThatAreNoText_ReportsDataUrl()
    {
        using var content = new ByteArrayContent([0xff]);

        var report = await bin.JsonAsync("POST", "/post", content);

        Assert.Equal("data:application/octet-stream;base64,/w==", report.GetProperty("data").GetString());
    }

    [Fact]
    public async Task Anything_WithForwardedHeaders_TellsTheClientsOriginAndScheme()
    {
        var report = await bin.JsonAsync("GET", "/anything", null, ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"));

        Assert.Equal("203.0.113.7", report.GetProperty("origin").GetString());
        Assert.StartsWith("https://", report.GetProperty("url").GetString(), StringComparison.Ordinal);
        Assert.Equal("https", report.GetProperty("headers").GetProperty("X-Forwarded-Proto").GetString());
    }

    [Fact]
    public async Task SmallReports_AskedFor_HoldOnlyTheirSubject()
    {
        var headers = await bin.JsonAsync("GET", "/headers", null, ("x-b3-traceid", "1"));
        var agent = await bin.JsonAsync("GET", "/user-agent");
        var ip = await bin.JsonAsync("GET", "/ip");

        Assert.Equal("1", headers.GetProperty("headers").GetProperty("X-B3-Traceid").GetString());
        Assert.Equal(JsonValueKind.Null, agent.GetProperty("user-agent").ValueKind);
        Assert.Equal("""{"origin":"127.0.0.1"}""", JsonSerializer.Serialize(ip));
    }

    [Fact]
    public async Task ResponseHeaders_OfTheQuery_AreSentAndListedWithTheirOwnLength()
    {
        using var response = await bin.SendAsync("GET", "/response-headers?X-One=1&X-Two=a&X-Two=b&content-length=5");
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var listed = JsonElement.Parse(text);

        Assert.Equal(["1"], response.Headers.GetValues("X-One"));
        Assert.Equal(["a", "b"], response.Headers.GetValues("X-Two"));
        Assert.Equal(text.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), listed.GetProperty("Content-Length").GetString());
        Assert.Equal(text.Length, response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task ResponseHeaders_WithAControlCharacter_Is400()
    {
        using var response = await bin.SendAsync("GET", "/response-headers?X-One=a%0Ab");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }
}
