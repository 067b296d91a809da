using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
    [InlineData("%START_TIME(%Y/%m/%dT%H:%M:%S%z %s.%3f)%|", "2026/01/02T03:04:05+0000 1767323045.678|")]
    [InlineData("%START_TIME(%F %T %b %a %e %j %Z)%", "2026-01-02 03:04:05 Jan Fri  2 002 UTC")]
    [InlineData("%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%", "/a")]
    [InlineData("%REQ_WITHOUT_QUERY(X-ABSENT?:PATH):1%", "/")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_PORT% %DOWNSTREAM_LOCAL_PORT%", "10.1.2.3 5000 8080")]
    [InlineData("%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_PEER_URI_SAN% %REQUESTED_SERVER_NAME%", "- - -")]
    [InlineData("%GRPC_STATUS% %GRPC_STATUS_NUMBER% %TRACE_ID% %TRAILER(x)%", "- - - -")]
    [InlineData("%CONNECTION_TERMINATION_DETAILS% %UPSTREAM_LOCAL_ADDRESS% %JWT_STATUS%", "- - -")]
    [InlineData("%DYNAMIC_METADATA(envoy.common:access_log_hint)%", "-")]
    public void Text_WithAFormatOfOnesOwn_IsWritten(string format, string expected) =>
        Assert.Equal(expected, Write(AccessLogEncoding.Text, format, Denied()));

    [Fact]
    public void Text_OfAGrpcRequest_WritesItsStatusInEveryForm()
    {
        var context = Denied();
        context.Http.Request.Headers.ContentType = "application/grpc";
        context.Http.Response.Headers["grpc-status"] = "7";

        Assert.Equal("PermissionDenied PERMISSION_DENIED 7", Write(AccessLogEncoding.Text, "%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)%", context));
    }

    [Fact]
    public void Text_OverTls_SaysWhatTheClientShowed()
    {
        using var key = ECDsa.Create();
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("client.test");
        names.AddUri(new Uri("spiffe://cluster.local/ns/a/sa/b"));
        var request = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
        var context = Denied();
        context.Http.Connection.ClientCertificate = certificate;

        Assert.Equal("spiffe://cluster.local/ns/a/sa/b CN=client", Write(AccessLogEncoding.Text, "%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_SUBJECT%", context));
    }

    [Fact]
    public void Compile_OfAnUnknownOperator_SaysWhereItIsAndWhatIsKnown()
    {
        var e = Assert.Throws<FormatException>(() => AccessLogFormat.Compile(AccessLogEncoding.Text, "ab %NO_SUCH%"));

        Assert.StartsWith("at character 4 of the access log format: `%NO_SUCH%`", e.Message, StringComparison.Ordinal);
        Assert.Contains("RESPONSE_FLAGS", e.Message, StringComparison.Ordinal);
    }

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
    [InlineData("%START_TIME(%Q)%")]
    [InlineData("%GRPC_STATUS(LOUD)%")]
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
