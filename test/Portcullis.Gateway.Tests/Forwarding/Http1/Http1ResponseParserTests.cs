using FsCheck.Xunit;
using Portcullis.Gateway.Forwarding.Http1;

namespace Portcullis.Gateway.Tests.Forwarding.Http1;

public sealed class Http1ResponseParserTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", "200 1.1 OK|Length 5 keeps|(Content-Length=5)|X-A=b|46")]
    [InlineData("HTTP/1.1 200\r\n\r\n", "200 1.1 |UntilClose -1 closes|16")]
    [InlineData("HTTP/1.1 200 \r\nA:\r\nB: \t \r\n\r\n", "200 1.1 |UntilClose -1 closes|A=|B=|28")]
    [InlineData("HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 1.0 Not Found|None 0 closes|(Content-Length=0)|45")]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "200 1.0 OK|None 0 closes|(Connection=keep-alive)|(Content-Length=0)|62")]
    [InlineData("HTTP/1.1 200 OK\r\ntransfer-ENCODING:\tChunked \r\n\r\n", "200 1.1 OK|Chunked -1 keeps|(transfer-ENCODING=Chunked)|48")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x-hop , Close\r\nX-Hop: 1\r\nX-Hop2: 2\r\n\r\n", "200 1.1 OK|None 0 closes|(Content-Length=0)|(Connection=x-hop , Close)|(X-Hop=1)|X-Hop2=2|86")]
    [InlineData("HTTP/1.1 204 No\r\n\r\n", "204 1.1 No|None -1 keeps|19")]
    [InlineData("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", "204 1.1 No|None 3 closes|(Content-Length=3)|38")]
    [InlineData("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", "204 1.1 No|None -1 closes|(Transfer-Encoding=chunked)|47")]
    [InlineData("HTTP/1.1 205 R\r\nContent-Length: 0\r\n\r\n", "205 1.1 R|None 0 keeps|(Content-Length=0)|37")]
    [InlineData("HTTP/1.1 205 R\r\n\r\n", "205 1.1 R|None -1 closes|18")]
    [InlineData("HTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\n", "304 1.1 N|None 9 keeps|(Content-Length=9)|37")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", "100 1.1 Continue|None -1 keeps|25")]
    [InlineData("HTTP/1.1 999 Odd \u00e9\tone\r\nContent-Length: 0\r\n\r\n", "999 1.1 Odd \u00e9\tone|None 0 keeps|(Content-Length=0)|45")]
    [InlineData("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 000000000000000007\r\n\r\n", "200 1.1 OK|Length 7 keeps|Set-Cookie=a=1|Set-Cookie=b=2|(Content-Length=000000000000000007)|89")]
    public void Parse_GoodHead_IsUnderstood(string text, string expected) => Assert.Equal(expected, ResponseHead.Describe(text));

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9\r\n")]
    [InlineData("\r\nHTTP/1.1 200 OK\r\n\r\n")] // no empty line in front, as a robust client would allow
    [InlineData("h")]
    [InlineData("HTTP/2")]
    [InlineData("HTTP/1.2 200 OK\r\n")]
    [InlineData("HTTP/2.0 200 OK\r\n")]
    [InlineData("http/1.1 200 OK\r\n")]
    [InlineData("HTTP/1.1  200 OK\r\n")]
    [InlineData("HTTP/1.1\t200 OK\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n")]
    [InlineData("HTTP/1.1 200OK\r\n")]
    [InlineData("HTTP/1.1 099 Low\r\n")]
    [InlineData("HTTP/1.1 +20 OK\r\n")]
    [InlineData("HTTP/1.1 200 O\0K\r\n")]
    [InlineData("HTTP/1.1 200 O\rK\r\n")]
    [InlineData("HTTP/1.1 200 OK\n\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\rc\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\0\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: \u0001\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: \u007f\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA : b\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n A: b\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n")] // obs-fold
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n\tc: d\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n: b\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\u00c4: b\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length:\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked,\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: \"chunked\"\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: \u000bchunked\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n")]
    public void Parse_BadHead_IsInvalidAsSoonAsItsLineIsThere(string text) => Assert.Equal("Invalid", ResponseHead.Describe(text));

    [Theory]
    [InlineData("")]
    [InlineData("HTT")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n\r")]
    public void Parse_PartOfAHead_NeedsMore(string text) => Assert.Equal("NeedsMore", ResponseHead.Describe(text));

    [Fact]
    public void Parse_HeadOfTheLongestLength_IsUnderstood_AndNoneLonger()
    {
        const string Start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ";
        var value = new string('x', Http1ResponseParser.MaxHeadLength - Start.Length - 4);

        Assert.EndsWith("|61440", ResponseHead.Describe($"{Start}{value}\r\n\r\n"), StringComparison.Ordinal);
        Assert.Equal("TooLarge", ResponseHead.Describe($"{Start}{value}x\r\n\r\n"));
        Assert.Equal("TooLarge", ResponseHead.Describe(Start + new string('x', Http1ResponseParser.MaxHeadLength)));
    }

    [Fact]
    public void Parse_AsManyHeadersAsAllowed_AreUnderstood_AndNotOneMore()
    {
        var lines = string.Concat(Enumerable.Repeat("A: b\r\n", Http1ResponseParser.MaxHeaders));

        Assert.StartsWith("200 ", ResponseHead.Describe($"HTTP/1.1 200 OK\r\n{lines}\r\n"), StringComparison.Ordinal);
        Assert.Equal("TooLarge", ResponseHead.Describe($"HTTP/1.1 200 OK\r\n{lines}A: b\r\n\r\n"));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a\r\nConnection: x\r\nX: \u00fc\r\n\r\nhello")]
    [InlineData("HTTP/1.1 204\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n")]
    public void Parse_EverySplitInThree_GivesTheSame(string text)
    {
        var whole = ResponseHead.Describe(text);
        for (var first = 0; first <= text.Length; first++)
        {
            for (var second = first; second <= text.Length; second++)
            {
                Assert.Equal(whole, ResponseHead.Describe(text, first, second));
            }
        }
    }

    [Property(MaxTest = 300)]
    public void Parse_AnyBytesInAnyPieces_GiveTheSame(byte[] noise, byte at, byte[] cuts)
    {
        var good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Y: z\r\nTransfer-Coding: n\r\n\r\n"u8.ToArray();
        byte[] bytes = [.. good.AsSpan(0, at % good.Length), .. noise, .. good.AsSpan(at % good.Length)];
        var places = cuts.Select(c => c % (bytes.Length + 1)).Order().ToArray();

        Assert.Equal(ResponseHead.Describe(bytes), ResponseHead.Describe(bytes, places));
    }

    [Fact]
    public void Parse_SecondHeadOnTheSameParser_LeavesNothingOfTheFirst()
    {
        var parser = new Http1ResponseParser();
        parser.Reset();
        parser.Parse("HTTP/1.0 500 No\r\nContent-Length: 7\r\nConnection: close, a\r\nA: b\r\n\r\n"u8);
        parser.Reset();

        Assert.Equal(ParseStatus.Complete, parser.Parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8));
        Assert.Equal((200, 1, 1, -1L, true), (parser.Status, parser.MinorVersion, parser.Headers.Length, parser.ContentLength, parser.KeepsAlive(isHead: false)));
    }

    [Fact]
    public void Parse_AllocatesNothing()
    {
        var parser = new Http1ResponseParser();
        Parse(parser);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Parse(parser);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Parse(Http1ResponseParser parser)
        {
            parser.Reset();
            parser.Parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, x\r\nX: y\r\n\r\n"u8);
        }
    }
}
