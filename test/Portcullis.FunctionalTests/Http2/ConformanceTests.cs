using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Http2;

/// <summary>
/// What a client may not send (RFC 9113, RFC 7541) ends its stream or its connection with the code that the RFC gives, and no backend hears of it. The RFC lets a server treat an error of a
/// stream as one of the connection (§5.4.2).
/// </summary>
public sealed class ConformanceTests
{
    private const uint ProtocolError = 1;
    private const uint InternalError = 2;
    private const uint FlowControlError = 3;
    private const uint StreamClosed = 5;
    private const uint FrameSizeError = 6;
    private const uint CompressionError = 9;
    private const uint EnhanceYourCalm = 11;

    /// <summary>Status 400: index 12 of HPACK's static table.</summary>
    private const string BadRequest = "HEADERS 8C";

    private const byte Headers = Frame.EndHeaders | Frame.EndStream;

    private static readonly (string Name, string Value)[] Get = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a.example")];

    private static readonly Dictionary<string, (uint[] Codes, Frame[] Frames)> Errors = new()
    {
        // Frames on streams where they may not be (§5.1, §6)
        ["DATA on stream 0"] = ([ProtocolError], [new(Frame.Data, 0, 0, [1])]),
        ["HEADERS on stream 0"] = ([ProtocolError], [new(Frame.Headers, Headers, 0, Frame.Fields(Get))]),
        ["HEADERS on an even stream"] = ([ProtocolError], [new(Frame.Headers, Headers, 2, Frame.Fields(Get))]),
        ["HEADERS on a lower stream than before"] = ([ProtocolError, StreamClosed], [new(Frame.Headers, Frame.EndHeaders, 5, Frame.Fields([.. Get, ("content-length", "9")])), new(Frame.Headers, Headers, 3, Frame.Fields(Get))]),
        ["DATA on an idle stream"] = ([ProtocolError, StreamClosed], [new(Frame.Data, 0, 1, [1])]),
        ["RST_STREAM on an idle stream"] = ([ProtocolError], [new(Frame.ResetStream, 0, 1, [0, 0, 0, 8])]),
        ["RST_STREAM on stream 0"] = ([ProtocolError], [new(Frame.ResetStream, 0, 0, [0, 0, 0, 8])]),
        ["WINDOW_UPDATE on an idle stream"] = ([ProtocolError], [new(Frame.WindowUpdate, 0, 1, [0, 0, 0, 1])]),
        ["SETTINGS on a stream"] = ([ProtocolError], [new(Frame.Settings, 0, 1, [])]),
        ["PING on a stream"] = ([ProtocolError], [new(Frame.Ping, 0, 1, new byte[8])]),
        ["GOAWAY on a stream"] = ([ProtocolError], [new(Frame.GoAway, 0, 1, new byte[8])]),
        ["PRIORITY on stream 0"] = ([ProtocolError], [new(Frame.Priority, 0, 0, new byte[5])]),
        ["PUSH_PROMISE of a client"] = ([ProtocolError], [new(Frame.PushPromise, Frame.EndHeaders, 1, [0, 0, 0, 2])]),
        ["CONTINUATION of nothing"] = ([ProtocolError], [new(Frame.Continuation, Frame.EndHeaders, 1, Frame.Fields(Get))]),
        ["a frame between HEADERS and CONTINUATION"] = ([ProtocolError], [new(Frame.Headers, Frame.EndStream, 1, Frame.Fields(Get)), new(Frame.Ping, 0, 0, new byte[8])]),
        ["HEADERS of another stream between HEADERS and CONTINUATION"] = ([ProtocolError], [new(Frame.Headers, Frame.EndStream, 1, Frame.Fields(Get)), new(Frame.Headers, Headers, 3, Frame.Fields(Get))]),

        // Sizes (§4.2, §6)
        ["a frame above SETTINGS_MAX_FRAME_SIZE"] = ([FrameSizeError], [new(Frame.Data, 0, 1, new byte[16 * 1024 + 1])]),
        ["SETTINGS of 5 bytes"] = ([FrameSizeError], [new(Frame.Settings, 0, 0, new byte[5])]),
        ["SETTINGS with ACK and bytes"] = ([FrameSizeError], [new(Frame.Settings, Frame.Ack, 0, new byte[6])]),
        ["PING of 7 bytes"] = ([FrameSizeError], [new(Frame.Ping, 0, 0, new byte[7])]),
        ["RST_STREAM of 3 bytes"] = ([FrameSizeError], [new(Frame.Headers, Frame.EndHeaders, 1, Frame.Fields([.. Get, ("content-length", "9")])), new(Frame.ResetStream, 0, 1, new byte[3])]),
        ["WINDOW_UPDATE of 3 bytes"] = ([FrameSizeError], [new(Frame.WindowUpdate, 0, 0, new byte[3])]),
        ["PRIORITY of 4 bytes"] = ([FrameSizeError], [new(Frame.Priority, 0, 1, new byte[4])]),
        ["more padding than payload in HEADERS"] = ([ProtocolError], [new(Frame.Headers, Headers | Frame.Padded, 1, [200, .. Frame.Fields(Get)])]),
        ["more padding than payload in DATA"] = ([ProtocolError], [new(Frame.Headers, Frame.EndHeaders, 1, Frame.Fields([.. Get, ("content-length", "9")])), new(Frame.Data, Frame.Padded, 1, [9, 1])]),

        // Values (§6.5.2, §6.9)
        ["SETTINGS_ENABLE_PUSH of 2"] = ([ProtocolError], [new(Frame.Settings, 0, 0, [0, 2, 0, 0, 0, 2])]),
        ["SETTINGS_INITIAL_WINDOW_SIZE of 2^31"] = ([FlowControlError], [new(Frame.Settings, 0, 0, [0, 4, 0x80, 0, 0, 0])]),
        ["SETTINGS_MAX_FRAME_SIZE of 16383"] = ([ProtocolError], [new(Frame.Settings, 0, 0, [0, 5, 0, 0, 0x3f, 0xff])]),
        ["SETTINGS_MAX_FRAME_SIZE of 2^24"] = ([ProtocolError], [new(Frame.Settings, 0, 0, [0, 5, 1, 0, 0, 0])]),
        ["WINDOW_UPDATE by 0"] = ([ProtocolError], [new(Frame.WindowUpdate, 0, 0, new byte[4])]),
        ["WINDOW_UPDATE beyond 2^31-1 of the connection"] = ([FlowControlError], [new(Frame.WindowUpdate, 0, 0, [0x7f, 0xff, 0xff, 0xff])]),
        ["WINDOW_UPDATE beyond 2^31-1 of a stream"] = ([FlowControlError], [new(Frame.Headers, Frame.EndHeaders, 1, Frame.Fields([.. Get, ("content-length", "9")])), new(Frame.WindowUpdate, 0, 1, [0x7f, 0xff, 0xff, 0xff])]),
        ["a stream that depends on itself"] = ([ProtocolError], [new(Frame.Priority, 0, 1, [0, 0, 0, 1, 0])]),

        // Header blocks (RFC 7541 §2.3.3, §4.2, §5.1)
        ["an index that no table has"] = ([CompressionError], [new(Frame.Headers, Headers, 1, [0xfe])]),
        ["index 0"] = ([CompressionError, InternalError], [new(Frame.Headers, Headers, 1, [0x80])]),
        ["a table larger than was said"] = ([CompressionError], [new(Frame.Headers, Headers, 1, [0x3f, 0xe2, 0x7f, .. Frame.Fields(Get)])]),
        ["an integer without end"] = ([CompressionError], [new(Frame.Headers, Headers, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])]),
        ["a string longer than the block"] = ([CompressionError], [new(Frame.Headers, Headers, 1, [0, 0x7e, 1])]),

        // Fields (§8.2, §8.3)
        ["no :method"] = ([ProtocolError], [Request((":scheme", "http"), (":path", "/"), (":authority", "a"))]),
        ["no :scheme"] = ([ProtocolError], [Request((":method", "GET"), (":path", "/"), (":authority", "a"))]),
        ["no :path"] = ([ProtocolError], [Request((":method", "GET"), (":scheme", "http"), (":authority", "a"))]),
        ["an empty :path"] = ([ProtocolError], [Request((":method", "GET"), (":scheme", "http"), (":path", ""), (":authority", "a"))]),
        ["two :path"] = ([ProtocolError], [Request([.. Get, (":path", "/b")])]),
        ["two :method"] = ([ProtocolError], [Request([.. Get, (":method", "POST")])]),
        ["a pseudo-header field behind another"] = ([ProtocolError], [Request((":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/"), (":authority", "a"))]),
        ["an unknown pseudo-header field"] = ([ProtocolError], [Request([.. Get, (":x", "y")])]),
        ["a response's pseudo-header field"] = ([ProtocolError], [Request([.. Get, (":status", "200")])]),
        ["a name in upper case"] = ([ProtocolError], [Request([.. Get, ("X-Upper", "y")])]),
        ["connection"] = ([ProtocolError], [Request([.. Get, ("connection", "keep-alive")])]),
        ["te: gzip"] = ([ProtocolError], [Request([.. Get, ("te", "gzip")])]),
        ["transfer-encoding"] = ([ProtocolError], [Request([.. Get, ("transfer-encoding", "chunked")])]),
        ["proxy-connection"] = ([ProtocolError], [Request([.. Get, ("proxy-connection", "keep-alive")])]),
        ["keep-alive"] = ([ProtocolError], [Request([.. Get, ("keep-alive", "5")])]),
        ["upgrade"] = ([ProtocolError], [Request([.. Get, ("upgrade", "h2c")])]),
        ["a line end in a value"] = ([ProtocolError], [Request([.. Get, ("x", "a\r\nb: c")])]),
        ["a NUL in a value"] = ([ProtocolError], [Request([.. Get, ("x", "a\0b")])]),
        ["a space in a name"] = ([ProtocolError], [Request([.. Get, ("x y", "z")])]),
        ["a colon in a name"] = ([ProtocolError], [Request([.. Get, ("x:y", "z")])]),
        ["an empty name"] = ([ProtocolError, CompressionError], [Request([.. Get, ("", "z")])]),
        ["a line end in :path"] = ([ProtocolError], [Request((":method", "GET"), (":scheme", "http"), (":path", "/a HTTP/1.1\r\nx: y"), (":authority", "a"))]),
        ["a space in :method"] = ([ProtocolError], [Request((":method", "GET /a"), (":scheme", "http"), (":path", "/"), (":authority", "a"))]),
        ["two content-length"] = ([ProtocolError], [new(Frame.Headers, Frame.EndHeaders, 1, Frame.Fields([.. Get, ("content-length", "1"), ("content-length", "2")])), new(Frame.Data, Frame.EndStream, 1, [1])]),

        // Bodies (§8.1.1). Never a whole one, which a backend would rightly see before what follows it.
        ["less DATA than content-length"] = ([ProtocolError], [Post("10"), new(Frame.Data, Frame.EndStream, 1, new byte[5])]),
        ["more DATA than content-length"] = ([ProtocolError], [Post("3"), new(Frame.Data, Frame.EndStream, 1, new byte[5])]),
        ["content-length and no DATA"] = ([ProtocolError], [Request([(":method", "POST"), .. Get[1..], ("content-length", "5")])]),
        ["a pseudo-header field in trailers"] = ([ProtocolError], [Post("6"), new(Frame.Data, 0, 1, new byte[5]), new(Frame.Headers, Headers, 1, Frame.Fields((":path", "/")))]),
        ["trailers that do not end the stream"] = ([ProtocolError], [Post("6"), new(Frame.Data, 0, 1, new byte[5]), new(Frame.Headers, Frame.EndHeaders, 1, Frame.Fields(("x", "y")))]),

        // More than is taken
        ["a header list of 100 KiB"] = ([ProtocolError, EnhanceYourCalm], Large(100)),
        ["CONTINUATION without end"] = ([ProtocolError, EnhanceYourCalm], Large(10_000)),
    };

    public static TheoryData<string> Names => [.. Errors.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Error_EndsTheStreamOrTheConnection_AndNoBackendHearsOfIt(string name)
    {
        var (codes, frames) = Errors[name];
        using var backend = new ScriptedBackend(ScriptedAnswer.Of(200));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port]);
        await using var client = await FrameClient.ConnectAsync(gateway.Port);
        await client.SendAllAsync(frames);

        var end = await client.ReadEndAsync();

        // A malformed request may be answered before its stream ends (§8.1.1), and a client that does not read while it sends may miss the last word.
        string[] expected = [.. codes.SelectMany(c => new[] { $"RST_STREAM {c}", $"GOAWAY {c}" }), .. codes.Contains(ProtocolError) ? [BadRequest] : Array.Empty<string>(), .. frames.Length > 20 ? ["closed"] : Array.Empty<string>()];
        Assert.Contains(end, expected);
        Assert.Empty(backend.Requests);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
    }

    [Theory]
    [InlineData("resets of streams", true)]
    [InlineData("SETTINGS", false)]
    [InlineData("PING", false)]
    [InlineData("empty DATA", false)]
    [InlineData("WINDOW_UPDATE", false)]
    [InlineData("PRIORITY", false)]
    public async Task Flood_IsEndedOrBorne_AndOthersAreServed(string of, bool isEnded)
    {
        using var backend = new ScriptedBackend(request => request.Head.StartsWith("POST", StringComparison.Ordinal) ? ScriptedAnswer.Nothing : ScriptedAnswer.Of(200));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], "retries: {attempts: 0}");
        await using var client = await FrameClient.ConnectAsync(gateway.Port);
        await client.SendAllAsync(Flood(of));

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        if (isEnded)
        {
            Assert.Contains(await client.ReadEndAsync(), new[] { $"GOAWAY {EnhanceYourCalm}", "closed" });
        }
    }

    private static IEnumerable<Frame> Flood(string of)
    {
        const int Count = 20_000;
        var many = Enumerable.Range(0, Count);
        return of switch
        {
            "resets of streams" => many.SelectMany(i => new[] { new Frame(Frame.Headers, Frame.EndHeaders, (2 * i) + 1, Post("5").Payload), new Frame(Frame.ResetStream, 0, (2 * i) + 1, [0, 0, 0, 8]) }),
            "SETTINGS" => many.Select(_ => new Frame(Frame.Settings, 0, 0, [])),
            "PING" => many.Select(_ => new Frame(Frame.Ping, 0, 0, new byte[8])),
            "empty DATA" => many.Select(_ => new Frame(Frame.Data, 0, 1, [])).Prepend(Post("5")),
            "WINDOW_UPDATE" => many.Select(_ => new Frame(Frame.WindowUpdate, 0, 0, [0, 0, 0, 1])),
            _ => many.Select(_ => new Frame(Frame.Priority, 0, 1, [0, 0, 0, 0, 1])),
        };
    }

    private static Frame Request(params (string Name, string Value)[] fields) => new(Frame.Headers, Headers, 1, Frame.Fields(fields));

    private static Frame Post(string length) => new(Frame.Headers, Frame.EndHeaders, 1, Frame.Fields([(":method", "POST"), .. Get[1..], ("content-length", length)]));

    /// <summary>Header fields of a number of KiB together, in as many frames, of which none is the last.</summary>
    private static Frame[] Large(int kibibytes) =>
    [
        new(Frame.Headers, Frame.EndStream, 1, Frame.Fields(Get)),
        .. Enumerable.Range(0, kibibytes).Select(i => new Frame(Frame.Continuation, 0, 1, Frame.Fields(($"x-{i}", new string('x', 1000))))),
    ];
}
