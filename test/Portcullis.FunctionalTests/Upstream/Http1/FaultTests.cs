using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway;

namespace Portcullis.FunctionalTests.Upstream.Http1;

/// <summary>The gateway's own HTTP/1.1 client against backends that are slow, cut, wrong or gone.</summary>
public sealed class FaultTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static readonly InProcessOptions Lean = new() { Upstream = UpstreamClient.Lean };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AccessLog_NamesTheGatewaysOwnAddressTowardsTheBackend_TheSameWhileTheConnectionIs()
    {
        using var backend = new ByteBackend((_, _) => new(Ok));
        var options = Lean with { Mesh = "accessLogFile: ${access-log}\naccessLogFormat: \"%UPSTREAM_LOCAL_ADDRESS%\\n\"\n" };
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, options);

        await ClientView.OfAsync(gateway.Port, Get(1));
        await ClientView.OfAsync(gateway.Port, Get(2));

        var lines = await gateway.StopAndReadAccessLogAsync();
        Assert.Matches("^127\\.0\\.0\\.1:[0-9]+$", lines[0]);
        Assert.Equal([lines[0], lines[0]], lines);
        Assert.Equal(1, backend.Connections);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-A: b\r\n\r\nhello, world")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nX-T: t\r\n\r\n")]
    public async Task ResponseCutAtEveryByte_IsNeverTakenForWhole(string whole)
    {
        using var backend = new ByteBackend((head, _) => new(whole[..Number(head)]) { Closes = true });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        for (var at = 0; at <= whole.Length; at++)
        {
            var seen = await ClientView.OfAsync(gateway.Port, Get(at));
            var expected = at == whole.Length ? "200 " : at < whole.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4 ? "503 " : "cut";
            Assert.StartsWith(expected, seen, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-A: b\r\n\r\nhello, world")]
    [InlineData("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nX-T: t\r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello, world")]
    public async Task ResponseInTwoPieces_WhereverItIsSplit_IsTheSame(string whole)
    {
        using var backend = new ByteBackend((head, _) => new(whole[..Number(head)], whole[Number(head)..]) { Closes = whole.StartsWith("HTTP/1.0", StringComparison.Ordinal) });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        for (var at = 1; at < whole.Length; at++)
        {
            var seen = await ClientView.OfAsync(gateway.Port, Get(at));
            Assert.StartsWith("200 OK|", seen, StringComparison.Ordinal);
            Assert.EndsWith("x-a=b|hello, world", seen.Replace("|transfer-encoding=chunked|x-a", "|x-a", StringComparison.Ordinal).Replace("x-a=b|transfer-encoding=chunked", "x-a=b", StringComparison.Ordinal), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Ok, 1)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 3)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 3)]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 3)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nno", 3)]
    [InlineData(Ok + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsplit", 3)] // a response nobody asked for
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n", 3)]
    public async Task Connection_IsUsedAgain_OnlyAtTheExactEndOfAResponse(string answer, int connections)
    {
        using var backend = new ByteBackend((_, _) => new(answer));
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        for (var i = 0; i < 3; i++)
        {
            var seen = await ClientView.OfAsync(gateway.Port, Get(i));
            Assert.DoesNotContain("split", seen, StringComparison.Ordinal);
        }

        Assert.Equal(connections, backend.Connections);
    }

    [Theory]
    [InlineData("GET", "", "200 ")]
    [InlineData("DELETE", "", "200 ")]
    [InlineData("POST", "", "503 ")]
    [InlineData("PATCH", "", "503 ")]
    [InlineData("PUT", "x", "503 ")]
    public async Task UsedConnectionThatCloses_IsReplacedOnce_WhenAskingAgainDoesNoHarm(string method, string body, string expected)
    {
        using var backend = new ByteBackend((_, number) => number == 1 ? new(Ok) : new() { Closes = true });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        Assert.StartsWith("200 ", await ClientView.OfAsync(gateway.Port, Get(0)), StringComparison.Ordinal);
        var seen = await ClientView.OfAsync(gateway.Port, $"{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.StartsWith(expected, seen, StringComparison.Ordinal);
        Assert.Equal(expected == "200 " ? 3 : 2, backend.Requests.Count);
    }

    [Fact]
    public async Task BackendThatAlwaysClosesAfterAnAnswer_AnswersEveryRequest()
    {
        using var backend = new ByteBackend((_, _) => new(Ok) { Closes = true });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        for (var i = 0; i < 30; i++)
        {
            Assert.StartsWith("200 ", await ClientView.OfAsync(gateway.Port, Get(i)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ResetInsteadOfAnAnswer_IsAConnectionTermination()
    {
        using var backend = new ByteBackend((_, _) => new() { Resets = true });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        Assert.Contains("reset reason: connection termination", await ClientView.OfAsync(gateway.Port, Get(0)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ResetInTheBody_CutsTheResponse()
    {
        using var backend = new ByteBackend((_, _) => new("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\npart") { Resets = true });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        Assert.Equal("cut", await ClientView.OfAsync(gateway.Port, Get(0)));
    }

    [Theory]
    [InlineData(16, "200 ")]
    [InlineData(17, "502 ")]
    public async Task InterimResponses_AreSkipped_UpToANumber(int count, string expected)
    {
        using var backend = new ByteBackend((_, _) => new(string.Concat(Enumerable.Repeat("HTTP/1.1 102 Processing\r\n\r\n", count)) + Ok));
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        Assert.StartsWith(expected, await ClientView.OfAsync(gateway.Port, Get(0)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeadWithoutEnd_IsAProtocolError()
    {
        using var backend = new ByteBackend((_, _) => new("HTTP/1.1 200 OK\r\nA: " + new string('x', 100_000)));
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        Assert.StartsWith("502 ", await ClientView.OfAsync(gateway.Port, Get(0)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    public async Task Bodies_OfAnyLength_PassBothWays(int length)
    {
        var body = string.Concat(Enumerable.Range(0, (length / 8) + 1).Select(i => i.ToString("D8", CultureInfo.InvariantCulture)))[..length];
        using var backend = new ByteBackend((head, _) => head.StartsWith("GET /1", StringComparison.Ordinal)
            ? new($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{(length == 0 ? "" : $"{length:x}\r\n{body}\r\n")}0\r\n\r\n")
            : new($"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"));
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);

        Assert.EndsWith("|" + body, await ClientView.OfAsync(gateway.Port, Get(0)), StringComparison.Ordinal);
        Assert.EndsWith("|" + body, await ClientView.OfAsync(gateway.Port, Get(1)), StringComparison.Ordinal);
        Assert.EndsWith("|" + body, await ClientView.OfAsync(gateway.Port, $"POST /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"), StringComparison.Ordinal);
        var chunked = length == 0 ? "" : $"{length:x}\r\n{body}\r\n";
        Assert.EndsWith("|" + body, await ClientView.OfAsync(gateway.Port, $"POST /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n"), StringComparison.Ordinal);

        var sent = backend.Requests.ToArray();
        Assert.EndsWith("\r\n\r\n" + body, sent[2], StringComparison.Ordinal);
        Assert.Equal(body, Dechunk(sent[3][(sent[3].IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]));
        Assert.Equal(1, backend.Connections);
    }

    [Fact]
    public async Task EarlyAnswer_ReachesTheClient_ThoughTheBodyIsNotRead()
    {
        using var backend = new ByteBackend((_, _) => new("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno") { IsEarly = true, Closes = true });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port, Cancel);
        var stream = client.GetStream();

        await stream.WriteAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\npart"u8.ToArray(), Cancel);

        Assert.StartsWith("HTTP/1.1 413 Too Large\r\n", await ReadUntilAsync(stream, "\r\n\r\nno"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n", "6\r\ndata:1\r\n", "6\r\ndata:2\r\n", "0\r\n\r\n")]
    [InlineData("\r\n", "data:1", "data:2", "")]
    [InlineData("Content-Length: 12\r\n\r\n", "data:1", "data:2", "")]
    public async Task Events_ReachTheClientAsTheyCome(string framing, string first, string second, string last)
    {
        using var gate = new SemaphoreSlim(0);
        using var backend = new ByteBackend((_, _) => new("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + framing, first, second, last) { Gate = gate, Closes = true });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port, Cancel);
        var stream = client.GetStream();
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray(), Cancel);

        await ReadUntilAsync(stream, "\r\n\r\n");
        gate.Release();
        Assert.DoesNotContain("data:2", await ReadUntilAsync(stream, "data:1"), StringComparison.Ordinal);
        gate.Release();
        await ReadUntilAsync(stream, "data:2");
        gate.Release(2);
    }

    [Fact]
    public async Task ClientThatLeaves_TakesTheBackendsConnectionWithIt()
    {
        using var gate = new SemaphoreSlim(0);
        using var backend = new ByteBackend((_, _) => new("HTTP/1.1 200 OK\r\n\r\nstart", "never") { Gate = gate });
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, gateway.Port, Cancel);
            var stream = client.GetStream();
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), Cancel);
            await ReadUntilAsync(stream, "start");
        }

        gate.Release(2);
        while (backend.Closed == 0)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Fact]
    public async Task Trailers_ReachAnHttp2Client()
    {
        using var backend = new ByteBackend((_, _) => new("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nContent-Length: 1\r\n\r\n"));
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{gateway.Port}/"), Cancel);

        Assert.Equal("ok", await response.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(["X-Sum: 7"], response.TrailingHeaders.Select(h => $"{h.Key}: {string.Join(',', h.Value)}"), StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Http2RequestWithABodyOfUnknownLength_GoesInChunks()
    {
        using var backend = new ByteBackend((_, _) => new(Ok));
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, Lean);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var content = new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes(new string('x', 40_000))));
        content.Headers.ContentLength = null;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{gateway.Port}/") { Content = content, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using var response = await client.SendAsync(request, Cancel);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var sent = Assert.Single(backend.Requests);
        var end = sent.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        Assert.Equal(new string('x', 40_000), sent.Contains("Transfer-Encoding: chunked\r\n", StringComparison.Ordinal) ? Dechunk(sent[end..]) : sent[end..]);
    }

    private static string Get(int number) => $"GET /{number} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private static int Number(string head) => int.Parse(head.Split(' ')[1].AsSpan(1), CultureInfo.InvariantCulture);

    private static string Dechunk(string text)
    {
        var body = new StringBuilder();
        while (true)
        {
            var line = text.IndexOf("\r\n", StringComparison.Ordinal);
            var size = int.Parse(text.AsSpan(0, line), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                Assert.Equal("\r\n\r\n", text[line..]);
                return body.ToString();
            }

            body.Append(text, line + 2, size);
            text = text[(line + 4 + size)..];
        }
    }

    private static async Task<string> ReadUntilAsync(NetworkStream stream, string what)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains(what, StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer, patience.Token);
            Assert.True(read > 0, $"ended before `{what}`: {text}");
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return text.ToString();
    }
}
