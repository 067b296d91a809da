using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Http2;

/// <summary>HTTP/2 to backends, well behaved and not (routing.md §6.7).</summary>
public sealed class Http2BackendTests
{
    private const string NoRetries = "retries: {attempts: 0}";
    private const string Prefix = "upstream connect error or disconnect/reset before headers. ";

    [Fact]
    public async Task Http11Client_ReachesAnHttp2Backend()
    {
        await using var backend = await WebBackend.StartAsync(
            async http =>
            {
                using var body = new StreamReader(http.Request.Body);
                var text = await body.ReadToEndAsync();
                http.Response.Headers.ETag = "\"1\"";
                await http.Response.WriteAsync($"{http.Request.Method} {http.Request.Path} {http.Request.Host} {http.Request.Protocol} {text}");
            },
            HttpProtocols.Http2);
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], portName: "http2");

        var get = await RawHttp.GetAsync(gateway.Port, "/a", "Host: foo.com");
        var post = await RawHttp.SendTextAsync(gateway.Port, "POST /b HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        var chunked = await RawHttp.SendTextAsync(
            gateway.Port, "POST /c HTTP/1.1\r\nHost: foo.com\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhi\r\n4\r\n you\r\n0\r\n\r\n");
        var head = await RawHttp.HeadAsync(gateway.Port, "/d", "Host: foo.com");

        Assert.Equal(["GET /a foo.com HTTP/2 ", "POST /b foo.com HTTP/2 hi", "POST /c foo.com HTTP/2 hi you"], [get.Body, post.Body, chunked.Body]);
        Assert.Equal((200, "", "\"1\""), (head.Status, head.Body, head.Header("etag")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7, "remote refused stream reset")] // REFUSED_STREAM
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10, "remote error with CONNECT request")] // CONNECT_ERROR
    [InlineData(11)]
    [InlineData(13)]
    [InlineData(4711)] // unknown codes too
    public async Task ResetStreamBeforeTheAnswer_Is503WhateverItsCode(int error, string reason = "remote reset")
    {
        using var backend = new FrameServer(connection => connection.SendResetAsync((uint)error));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], NoRetries, portName: "http2");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((503, $"{Prefix}reset reason: {reason}"), (response.Status, response.Body));
        Assert.Equal($"503 UR upstream_reset_before_response_started{{{reason.Replace(' ', '_')}}}", Assert.Single(await gateway.StopAndReadAccessLogAsync()));
    }

    [Fact]
    public async Task ConnectionClosedInPlaceOfTheAnswer_Is503_AndIsSentOnce()
    {
        using var backend = new FrameServer(connection =>
        {
            connection.IsClosing = true;
            return Task.CompletedTask;
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], NoRetries, portName: "http2");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((503, $"{Prefix}reset reason: connection termination", 1), (response.Status, response.Body, backend.Requests));
        Assert.StartsWith("503 UC ", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task GoAwayWithAnErrorInPlaceOfTheAnswer_IsTheConnectionsEnd(uint error)
    {
        using var backend = new FrameServer(async connection =>
        {
            await connection.SendGoAwayAsync(connection.Stream, error);
            connection.IsClosing = true;
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], NoRetries, portName: "http2");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((503, $"{Prefix}reset reason: connection termination", 1), (response.Status, response.Body, backend.Requests));
        Assert.StartsWith("503 UC ", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GoAwayThatLeavesTheRequestOut_SendsItAgainOnAnotherConnection()
    {
        using var backend = new FrameServer(async connection =>
        {
            if (connection.Number == 1)
            {
                await connection.SendGoAwayAsync(lastStream: 0, error: 0);
                return;
            }

            await connection.SendHeadersAsync(isEnd: true);
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], portName: "http2");

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        Assert.Equal((2, 2), (backend.Connections, backend.Requests));
    }

    [Fact]
    public async Task GoAwayThatServesTheRequest_LetsItFinish_AndTheNextOneTakesAnotherConnection()
    {
        using var backend = new FrameServer(async connection =>
        {
            await connection.SendGoAwayAsync(connection.Stream, error: 0);
            await connection.SendHeadersAsync(isEnd: true);
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], NoRetries, portName: "http2");

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        Assert.Equal(2, backend.Connections);
    }

    [Fact]
    public async Task ResetStreamInsideTheAnswer_CutsTheClientsToo()
    {
        using var backend = new FrameServer(async connection =>
        {
            await connection.SendHeadersAsync(isEnd: false);
            await connection.SendDataAsync("part"u8.ToArray());
            await connection.SendResetAsync(2);
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], portName: "http2");
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

            await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
            {
                using var response = await client.SendAsync(request, patience.Token);
                await response.Content.CopyToAsync(Stream.Null, patience.Token);
            });
        }

        Assert.All(await gateway.StopAndReadAccessLogAsync(), l => Assert.EndsWith(" UR upstream_reset_after_response_started{remote_reset}", l, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnswerThatEndsBeforeTheRequest_IsWhole_AndTheRestIsNotAskedFor()
    {
        using var backend = new FrameServer(async connection =>
        {
            await connection.SendHeadersAsync(("content-type", "application/grpc"));
            await connection.SendDataAsync([0, 0, 0, 0, 1, 7]);
            await connection.ReadAsync(Frame.Data);
            await connection.SendTrailersAsync(("grpc-status", "8"), ("x-last", "that"));
            await connection.SendResetAsync(0); // NO_ERROR (RFC 9113 §8.1)
        });
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], portName: "http2");
        await using (var client = await FrameClient.ConnectAsync(gateway.Port))
        {
            for (var stream = 1; stream < 40; stream += 2)
            {
                await client.SendHeadersAsync(stream, isEnd: false, ("content-type", "application/grpc"), ("te", "trailers"));
                Assert.Equal(Frame.Headers, (await client.ReadAsync(stream)).Type);
                await client.SendAsync(new(Frame.Data, 0, stream, new byte[100]));
                Assert.Equal([0, 0, 0, 0, 1, 7], (await client.ReadAsync(stream)).Payload);
                var trailers = await client.ReadAsync(stream);
                Assert.Equal((Frame.Headers, true), (trailers.Type, trailers.Has(Frame.EndStream)));

                // The client has not ended its request, and is told that it need not (RFC 9113 §8.1).
                var end = await client.ReadAsync(stream);
                Assert.Equal((Frame.ResetStream, 0u), (end.Type, end.Error));
            }
        }

        Assert.All(await gateway.StopAndReadAccessLogAsync(), l => Assert.StartsWith("200 - via_upstream", l, StringComparison.Ordinal));
    }

    [Fact]
    public async Task BackendThatSendsNoFrames_Is502()
    {
        using var backend = new FrameServer(connection => connection.SendTextAsync("this is no frame of any kind"u8.ToArray()));
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], NoRetries, portName: "http2");

        var response = await RawHttp.GetAsync(gateway.Port, "/");

        Assert.Equal((502, $"{Prefix}reset reason: protocol error"), (response.Status, response.Body));
        Assert.StartsWith("502 UPE ", Assert.Single(await gateway.StopAndReadAccessLogAsync()), StringComparison.Ordinal);
    }
}
