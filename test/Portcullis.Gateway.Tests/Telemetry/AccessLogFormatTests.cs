using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Pipeline;
using Portcullis.Gateway.Telemetry.AccessLogs;
using Portcullis.Resources;

namespace Portcullis.Gateway.Tests.Telemetry;

public sealed class AccessLogFormatTests
{
    [Fact]
    public void Text_OfADeniedRequest_IsIstiosLine()
    {
        var line = Write(AccessLogEncoding.Text, "", Denied());

        Assert.Equal(
            "[2026-01-02T03:04:05.678Z] \"GET /a?x=1 HTTP/1.1\" 403 - rbac_access_denied_matched_policy[none] - \"-\" 0 19 0 - \"10.1.2.3\" \"curl/8\" "
            + "\"12a6498f-79e9-4c95-9452-76720468a51b\" \"foo.com\" \"-\" - - 10.0.0.5:8080 10.1.2.3:5000 - -\n",
            System.Text.RegularExpressions.Regex.Replace(line, @" 0 19 \d+ ", " 0 19 0 "));
    }

    [Fact]
    public void Json_OfADeniedRequest_HasIstiosMembersWithTheirTypes()
    {
        var line = Write(AccessLogEncoding.Json, "", Denied());

        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        Assert.Equal(403, root.GetProperty("response_code").GetInt32());
        Assert.Equal("GET", root.GetProperty("method").GetString());
        Assert.Equal("/a?x=1", root.GetProperty("path").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("upstream_host").ValueKind);
        Assert.Equal(19, root.GetProperty("bytes_sent").GetInt32());
        Assert.Equal(24, root.EnumerateObject().Count());
        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("%PROTOCOL% 100%%\n", "HTTP/1.1 100%\n")]
    [InlineData("%REQ(USER-AGENT):4%", "curl")]
    [InlineData("%REQ(X-ABSENT?:AUTHORITY)%", "foo.com")]
    [InlineData("%REQ(X-ABSENT)%", "-")]
    [InlineData("%REQ(AUTHORIZATION)%", "<redacted>")]
    [InlineData("%CLAIM(groups)%", "-")]
    public void Text_WithAFormatOfOnesOwn_IsWritten(string format, string expected) =>
        Assert.Equal(expected, Write(AccessLogEncoding.Text, format, Denied()));

    [Fact]
    public void Text_WithControlCharacters_StaysOneLine()
    {
        var context = Denied();
        context.Http.Request.Headers.UserAgent = "a\u0085b\tc";

        Assert.Equal("a\\x85b\\x09c", Write(AccessLogEncoding.Text, "%REQ(USER-AGENT)%", context));
    }

    [Theory]
    [InlineData("%NO_SUCH%")]
    [InlineData("50% done")]
    [InlineData("%REQ(X%")]
    public void Compile_OfAWrongFormat_NamesTheOperator(string format)
    {
        var e = Assert.Throws<FormatException>(() => AccessLogFormat.Compile(AccessLogEncoding.Text, format));

        Assert.Contains('%', e.Message);
    }

    private static string Write(AccessLogEncoding encoding, string format, GatewayContext context)
    {
        var line = new StringBuilder();
        AccessLogFormat.Compile(encoding, format).Write(context, line);
        return line.ToString();
    }

    private static GatewayContext Denied()
    {
        var context = new GatewayContext();
        var http = context.Http;
        http.Request.Method = "GET";
        http.Request.Protocol = "HTTP/1.1";
        http.Request.Headers.UserAgent = "curl/8";
        http.Request.Headers.Authorization = "Bearer secret";
        http.Connection.LocalIpAddress = IPAddress.Parse("10.0.0.5");
        http.Connection.LocalPort = 8080;
        http.Connection.RemotePort = 5000;
        context.PeerPort = 5000;
        http.Response.StatusCode = StatusCodes.Status403Forbidden;
        http.Response.ContentLength = 19;
        context.StartTime = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);
        context.StartTimestamp = System.Diagnostics.Stopwatch.GetTimestamp();
        context.RawTarget = "/a?x=1";
        context.Path = "/a";
        context.Query = "x=1";
        context.Authority = "foo.com";
        context.ConnectionAddress = context.PeerAddress = context.RemoteAddress = IPAddress.Parse("10.1.2.3");
        context.ForwardedFor = "10.1.2.3";
        context.RequestId = "12a6498f-79e9-4c95-9452-76720468a51b";
        context.ResponseDetails = "rbac_access_denied_matched_policy[none]";
        return context;
    }
}
