using System.Net;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.ExternalAuthorization;

/// <summary><c>includeRequestBodyInCheck</c>: the authorizer gets the beginning of a body, and the backend gets all of it.</summary>
public sealed class BodyTests : IAsyncLifetime
{
    private const string Whole = "includeRequestBodyInCheck: {maxRequestBytes: 16}";
    private const string Partial = "includeRequestBodyInCheck: {maxRequestBytes: 16, allowPartialMessage: true}";

    private RecordingServer _backend = null!;
    private RecordingServer _authorizer = null!;

    public async ValueTask InitializeAsync()
    {
        _backend = await RecordingServer.StartAsync(200);
        _authorizer = await RecordingServer.StartAsync(200);
    }

    public async ValueTask DisposeAsync()
    {
        await _backend.DisposeAsync();
        await _authorizer.DisposeAsync();
    }

    [Theory]
    [InlineData(Whole, 16, "false", 16)]
    [InlineData(Whole, 1, "false", 1)]
    [InlineData(Partial, 16, "false", 16)]
    [InlineData(Partial, 17, "true", 16)]
    [InlineData(Partial, 200_000, "true", 16)]
    [InlineData("includeRequestBodyInCheck: {maxRequestBytes: 1000000}", 200_000, "false", 200_000)]
    public async Task Body_WithinTheLimitOrInPart_GoesToBoth(string fields, int size, string isPartial, int sent)
    {
        await using var gateway = await Custom.StartAsync(_backend.Port, _authorizer.Port, Custom.Http(fields));
        var body = TextOf(size);

        var response = await PostAsync(gateway.Port, $"content-length: {size}", body);
        var chunked = await PostAsync(gateway.Port, "transfer-encoding: chunked", Chunked(body));

        Assert.Equal((200, 200), (response.Status, chunked.Status));
        Assert.Equal([body[..sent], body[..sent]], _authorizer.Requests.Select(r => r.Text));
        Assert.All(_authorizer.Requests, r => Assert.Equal((isPartial, $"{sent}"), (r.Header("x-envoy-auth-partial-body"), r.Header("content-length"))));
        Assert.Equal([body, body], _backend.Requests.Select(r => r.Text));
        Assert.Equal([$"{size}", null], _backend.Requests.Select(r => r.Header("content-length")));
    }

    [Theory]
    [InlineData("")]
    [InlineData(", failOpen: true")]
    public async Task Body_OverTheLimit_Is413EvenWithFailOpen(string failOpen)
    {
        await using var gateway = await Custom.StartAsync(_backend.Port, _authorizer.Port, Custom.Http(Whole + failOpen));

        var declared = await PostAsync(gateway.Port, "content-length: 17", TextOf(17));
        var chunked = await PostAsync(gateway.Port, "transfer-encoding: chunked", Chunked(TextOf(17)));

        Assert.Equal((413, "Payload Too Large"), (declared.Status, declared.Body));
        Assert.Equal((413, "Payload Too Large"), (chunked.Status, chunked.Body));
        Assert.Empty(_authorizer.Requests);
        Assert.Empty(_backend.Requests);
    }

    [Fact]
    public async Task NoBody_IsSentAsNone()
    {
        await using var gateway = await Custom.StartAsync(_backend.Port, _authorizer.Port, Custom.Http(Whole));

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/", "x-envoy-auth-partial-body: false")).Status);

        Assert.Equal((null, "0", ""), (_authorizer.Request.Header("x-envoy-auth-partial-body"), _authorizer.Request.Header("content-length"), _authorizer.Request.Text));
    }

    [Fact]
    public async Task Body_ThatTheProviderDoesNotAskFor_IsNotSent()
    {
        await using var gateway = await Custom.StartAsync(_backend.Port, _authorizer.Port, Custom.Http());

        Assert.Equal(200, (await PostAsync(gateway.Port, "content-length: 5", "hello")).Status);

        Assert.Equal(("0", ""), (_authorizer.Request.Header("content-length"), _authorizer.Request.Text));
        Assert.Equal("hello", _backend.Request.Text);
    }

    [Fact]
    public async Task ExpectContinue_IsAnsweredWhenTheCheckNeedsTheBody()
    {
        await using var gateway = await Custom.StartAsync(_backend.Port, _authorizer.Port, Custom.Http(Whole));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        var interim = new byte["HTTP/1.1 100 Continue\r\n\r\n".Length];
        await stream.ReadExactlyAsync(interim, TestContext.Current.CancellationToken);

        await stream.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
        using var rest = new MemoryStream();
        await stream.CopyToAsync(rest, TestContext.Current.CancellationToken);

        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", Encoding.ASCII.GetString(interim));
        Assert.StartsWith("HTTP/1.1 200 OK", Encoding.ASCII.GetString(rest.ToArray()), StringComparison.Ordinal);
        Assert.Equal(("hello", "hello"), (_authorizer.Request.Text, _backend.Request.Text));
        Assert.Null(_authorizer.Request.Header("expect"));
    }

    [Fact]
    public async Task BinaryBody_ReachesAnHttpAuthorizerByteForByte()
    {
        await using var gateway = await Custom.StartAsync(_backend.Port, _authorizer.Port, Custom.Http(Whole));

        await PostAsync(gateway.Port, "content-length: 4", "\u00ff\u0000\u00fe\r");

        Assert.Equal([0xff, 0, 0xfe, 0x0d], _authorizer.Request.Body);
        Assert.Equal([0xff, 0, 0xfe, 0x0d], _backend.Request.Body);
    }

    [Fact]
    public async Task TwoProviders_EachGetsAsMuchAsItAsksFor()
    {
        await using var second = await RecordingServer.StartAsync(200);
        var mesh = $"extensionProviders: [{Custom.Provider("p", "envoyExtAuthzHttp", Partial)}, {Custom.Provider("q", "envoyExtAuthzHttp", "includeRequestBodyInCheck: {maxRequestBytes: 30}")}]";
        await using var gateway = await InProcessGateway.StartAsync(
            _backend.Port,
            new InProcessOptions { Mesh = mesh, AllowsSeveralAuthorizers = true },
            Custom.Service("p", _authorizer.Port),
            Custom.Service("q", second.Port),
            Custom.Policy("p"),
            Custom.Policy("q", name: "also"));
        var body = TextOf(25);

        Assert.Equal(200, (await PostAsync(gateway.Port, "transfer-encoding: chunked", Chunked(body))).Status);

        Assert.Equal((body[..16], body, body), (_authorizer.Request.Text, second.Request.Text, _backend.Request.Text));
    }

    private static Task<RawResponse> PostAsync(int port, string framing, string body) =>
        RawHttp.SendTextAsync(port, $"POST /upload HTTP/1.1\r\nHost: a\r\n{framing}\r\nConnection: close\r\n\r\n{body}");

    private static string TextOf(int size) => string.Create(size, 0, static (span, _) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = (char)('a' + (i % 26));
        }
    });

    private static string Chunked(string body)
    {
        var text = new StringBuilder();
        foreach (var chunk in body.Chunk(7000))
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{chunk.Length:x}\r\n").Append(chunk).Append("\r\n");
        }

        return text.Append("0\r\n\r\n").ToString();
    }
}
