using System.Globalization;
using Portcullis.FunctionalTests.Support;
using Portcullis.Gateway;

namespace Portcullis.FunctionalTests.Upstream.Http1;

/// <summary>The same bytes from a backend, forwarded by the gateway's own client and by .NET's behind YARP: clients must see the same, but where a reason is given.</summary>
public sealed class DifferentialTests
{
    private const string ProtocolError = "502 Bad Gateway|content-length=87|content-type=text/plain|upstream connect error or disconnect/reset before headers. reset reason: protocol error";

    private static readonly (string Bytes, string? Why)[] Cases =
    [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", null),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", null),
        ("HTTP/1.1 404 Nothing Here\r\nContent-Length: 2\r\n\r\nno", null),
        ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nno", null),
        ("HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nno", null),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nno", null),
        ("HTTP/1.0 200 OK\r\n\r\nto the end", null),
        ("HTTP/1.1 200 OK\r\n\r\nto the end", null),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", null),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\nX-Trailer: t\r\n\r\n", null),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5  \r\nhello\r\n0\r\n\r\n", null),
        ("HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", null),
        ("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", null),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", null),
        ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", null),
        ("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Y: 1\r\nX-Y: 2\r\nContent-Length: 0\r\n\r\n", null),
        ("HTTP/1.1 200 OK\r\nX-Tab: a\tb\r\nX-Latin: \u00fc\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n", null),
        ("HTTP/1.1 200 OK\r\nServer: theirs\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", null),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", null),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", null),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", null),
        ("HTTP/1.1 200 OK\r\nContent-Le", null),
        ("", null),
        ("SSH-2.0-OpenSSH_9\r\n", null),
        ("HTTP/2.0 200 OK\r\n\r\n", null),
        ("HTTP/1.1 2x0 OK\r\n\r\n", null),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", null),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "two lengths"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "two lengths, though alike"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "a length beside a coding is how responses are split (RFC 9112 §6.3)"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "a coding other than chunked"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", "a coding other than chunked"),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.0 has no codings"),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "a line ends in CRLF"),
        ("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 2\r\n\r\nok", "a folded line (RFC 9112 §5.2)"),
        ("HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 2\r\n\r\nok", "a space in front of the colon (RFC 9112 §5.1)"),
        ("HTTP/1.1 200 OK\r\nA: b\u0001\r\nContent-Length: 2\r\n\r\nok", "a control character"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "a switch that was not asked for"),
        ("HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n", "what Connection names is for this hop alone (RFC 9110 §7.6.1)"),
        ("HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nno", "a 205 has no body; the other path answers 500"),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nno", "a 204 has no body; the other path answers 500"),
    ];

    public static TheoryData<string> Methods => ["GET", "HEAD", "POST"];

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task SameBytes_AreTheSameToTheClient_ButWhereThisOneIsStricter(string method)
    {
        using var backend = new ByteBackend((head, _) => new(Cases[int.Parse(head.Split(' ')[1].AsSpan(1), CultureInfo.InvariantCulture)].Bytes) { Closes = true });
        await using var lean = await InProcessGateway.StartAsync(backend.Port, new() { Upstream = UpstreamClient.Lean });
        await using var yarp = await InProcessGateway.StartAsync(backend.Port, new() { Upstream = UpstreamClient.Yarp });
        var differences = new List<string>();

        for (var i = 0; i < Cases.Length; i++)
        {
            var body = method == "POST" ? "Content-Length: 4\r\n\r\nbody" : "\r\n";
            var request = $"{method} /{i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{body}";
            var ours = await ClientView.OfAsync(lean.Port, request);
            var theirs = await ClientView.OfAsync(yarp.Port, request);
            var (bytes, why) = Cases[i];
            if (ours != theirs && (why is null || (!why.Contains("hop", StringComparison.Ordinal) && !why.Contains("no body", StringComparison.Ordinal) && !ours.StartsWith("502 ", StringComparison.Ordinal))))
            {
                differences.Add($"{bytes}\n  lean: {ours}\n  yarp: {theirs}");
            }
        }

        Assert.True(differences.Count == 0, string.Join("\n\n", differences));
    }

    [Fact]
    public async Task WhatOnlyThisOneRefuses_IsAProtocolError()
    {
        using var backend = new ByteBackend((head, _) => new(Cases[int.Parse(head.Split(' ')[1].AsSpan(1), CultureInfo.InvariantCulture)].Bytes) { Closes = true });
        await using var lean = await InProcessGateway.StartAsync(backend.Port, new() { Upstream = UpstreamClient.Lean });

        for (var i = 0; i < Cases.Length; i++)
        {
            if (Cases[i].Why is { } why && !why.Contains("hop", StringComparison.Ordinal) && !why.Contains("no body", StringComparison.Ordinal))
            {
                Assert.Equal(ProtocolError, await ClientView.OfAsync(lean.Port, $"GET /{i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
            }
        }
    }
}
