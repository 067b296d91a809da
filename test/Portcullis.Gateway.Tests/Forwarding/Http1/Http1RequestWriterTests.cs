using FsCheck.Xunit;
using Portcullis.Gateway.Forwarding;
using Portcullis.Gateway.Forwarding.Http1;

namespace Portcullis.Gateway.Tests.Forwarding.Http1;

public sealed class Http1RequestWriterTests
{
    [Fact]
    public void TryWrite_WritesHostFirst_AndTheLinesInTheirOrder()
    {
        var text = Text("GET", "/a?b=c", "example.com", null, false, new("X-B", "1"), new("x-a", "ü€"), new("X-B", ""));

        Assert.Equal("GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-B: 1\r\nx-a: ü€\r\nX-B: \r\n\r\n", text);
    }

    [Theory]
    [InlineData("POST", null, false, "Content-Length: 0\r\n")]
    [InlineData("PUT", null, false, "Content-Length: 0\r\n")]
    [InlineData("GET", null, false, "")]
    [InlineData("DELETE", null, false, "")]
    [InlineData("GET", 0L, false, "Content-Length: 0\r\n")]
    [InlineData("POST", 9223372036854775807, false, "Content-Length: 9223372036854775807\r\n")]
    [InlineData("POST", null, true, "Transfer-Encoding: chunked\r\n")]
    [InlineData("POST", 5L, true, "Transfer-Encoding: chunked\r\n")] // never both
    public void TryWrite_FramesTheBodyOnce(string method, long? length, bool isChunked, string expected) =>
        Assert.Equal($"{method} / HTTP/1.1\r\nHost: a\r\n{expected}\r\n", Text(method, "/", "a", length, isChunked));

    [Theory]
    [InlineData("Content-Length")]
    [InlineData("transfer-encoding")]
    [InlineData("Host")]
    [InlineData("connection")]
    [InlineData("Keep-Alive")]
    [InlineData("Upgrade")]
    [InlineData("proxy-connection")]
    public void TryWrite_HeaderThatIsTheWritersOwn_IsLeftOut(string name) =>
        Assert.Equal("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Text("GET", "/", "a", null, false, new HeaderLine(name, "5")));

    [Theory]
    [InlineData("/ä?€=😀", "/%C3%A4?%E2%82%AC=%F0%9F%98%80")]
    [InlineData("*", "*")]
    public void TryWrite_TargetOutsideOfAscii_IsPercentEncoded(string target, string expected) =>
        Assert.StartsWith($"GET {expected} HTTP/1.1\r\n", Text("GET", target, "a", null, false), StringComparison.Ordinal);

    [Theory]
    [InlineData("GET", "/", "a", "x", "a\r\nEvil: 1")]
    [InlineData("GET", "/", "a", "x", "a\nb")]
    [InlineData("GET", "/", "a", "x", "a\rb")]
    [InlineData("GET", "/", "a", "x", "a\0b")]
    [InlineData("GET", "/", "a", "x: y\r\nz", "b")]
    [InlineData("GET", "/", "a", "x y", "b")]
    [InlineData("GET", "/", "a", "x:", "b")]
    [InlineData("GET", "/", "a", "", "b")]
    [InlineData("GET", "/", "a", "ä", "b")]
    [InlineData("GET", "/", "a\r\nX: y", "x", "b")]
    [InlineData("GET", "/ HTTP/1.1\r\nX: y", "a", "x", "b")]
    [InlineData("GET", "/a b", "a", "x", "b")]
    [InlineData("GET", "/a\tb", "a", "x", "b")]
    [InlineData("GET", "/ä b", "a", "x", "b")]
    [InlineData("GET", "/\u007f", "a", "x", "b")]
    [InlineData("GET", "", "a", "x", "b")]
    [InlineData("GET", "http://other/", "a", "x", "b")]
    [InlineData("GE T", "/", "a", "x", "b")]
    [InlineData("GET\r\n", "/", "a", "x", "b")]
    [InlineData("", "/", "a", "x", "b")]
    public void TryWrite_WhatCouldBeReadAsMoreThanItIs_IsRefused(string method, string target, string authority, string name, string value) =>
        Assert.False(Http1RequestWriter.TryWrite(new HeadBuffer(), method, target, authority, [new(name, value)], null, false));

    [Fact]
    public void TryWrite_HeadBeyondTheLimit_IsRefused() =>
        Assert.False(Http1RequestWriter.TryWrite(new HeadBuffer(), "GET", "/", "a", [new("x", new string('x', HeadBuffer.Limit))], null, false));

    [Property(MaxTest = 500)]
    public void TryWrite_WhateverItIsGiven_WritesOneRequestOrNone(string? method, string? target, string? authority, string?[] names, string?[] values, uint? length, bool isChunked)
    {
        var lines = names.Zip(values, (n, v) => new HeaderLine(n ?? "", v ?? "")).ToArray();
        var buffer = new HeadBuffer();

        if (Http1RequestWriter.TryWrite(buffer, method ?? "GET", "/" + target, authority ?? "", lines, length, isChunked))
        {
            byte[] body = isChunked ? [.. "0\r\n\r\n"u8] : new byte[(length ?? 0) % 1000];
            if (!isChunked && length >= 1000)
            {
                return;
            }

            var request = StrictRequest.ReadExactlyOne([.. buffer.Written, .. body]);
            Assert.Equal(method ?? "GET", request.Method);
        }

        buffer.Release();
    }

    private static string Text(string method, string target, string authority, long? length, bool isChunked, params HeaderLine[] lines)
    {
        var buffer = new HeadBuffer();
        Assert.True(Http1RequestWriter.TryWrite(buffer, method, target, authority, lines, length, isChunked));
        return System.Text.Encoding.UTF8.GetString(buffer.Written);
    }
}
