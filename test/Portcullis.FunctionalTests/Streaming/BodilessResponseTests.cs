using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Streaming;

/// <summary>Answers that have no body whatever their headers say (RFC 9110 §6.4.1): the connection goes on behind them.</summary>
public sealed class BodilessResponseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HeadNoContentAndNotModified_HaveHeadersAndNoBody_AndTheConnectionGoesOn(bool isHttp2Backend)
    {
        await using var backend = await WebBackend.StartAsync(
            http =>
            {
                http.Response.Headers.ETag = "\"7\"";
                switch (http.Request.Path.Value)
                {
                    case "/204":
                        http.Response.StatusCode = StatusCodes.Status204NoContent;
                        return Task.CompletedTask;
                    case "/304":
                        http.Response.StatusCode = StatusCodes.Status304NotModified;
                        return Task.CompletedTask;
                    default:
                        http.Response.ContentLength = 1234;
                        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.WriteAsync(new string('x', 1234));
                }
            },
            isHttp2Backend ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], portName: isHttp2Backend ? "http2" : "http");

        var head = await AnswerAsync(gateway, "HEAD / HTTP/1.1");
        var none = await AnswerAsync(gateway, "GET /204 HTTP/1.1");
        var same = await AnswerAsync(gateway, "GET /304 HTTP/1.1");

        Assert.Equal((200, "1234", "\"7\""), (head.Status, head.Header("content-length"), head.Header("etag")));
        Assert.Equal((204, null, null), (none.Status, none.Header("content-length"), none.Header("transfer-encoding")));
        Assert.Equal((304, null, "\"7\""), (same.Status, same.Header("transfer-encoding"), same.Header("etag")));
    }

    /// <summary>The first of two answers on one connection; the second shows that nothing stands between them.</summary>
    private static async Task<RawResponse> AnswerAsync(InProcessGateway gateway, string line)
    {
        var both = await RawHttp.SendTextAsync(
            gateway.Port, $"{line}\r\nHost: foo.com\r\n\r\nGET /204 HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 204 ", both.Body, StringComparison.Ordinal);
        return both;
    }
}
