using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portcullis.FunctionalTests.Support;
using Portcullis.FunctionalTests.Upstream;

namespace Portcullis.FunctionalTests.Streaming;

/// <summary>An answer passes through as it is made.</summary>
public sealed class ServerSentEventsTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task HeadAndEachEvent_ArriveBeforeTheNextIsSent(bool isHttp2Client, bool isHttp2Backend)
    {
        using var seen = new SemaphoreSlim(0);
        await using var backend = await WebBackend.StartAsync(
            async http =>
            {
                http.Response.ContentType = "text/event-stream";
                await http.Response.Body.FlushAsync();
                for (var i = 0; i < 3; i++)
                {
                    await seen.WaitAsync(http.RequestAborted);
                    await http.Response.WriteAsync($"data: {i}\n\n");
                    await http.Response.Body.FlushAsync();
                }
            },
            isHttp2Backend ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var gateway = await UpstreamGateway.StartAsync([backend.Port], portName: isHttp2Backend ? "http2" : "http");
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/")
        {
            Version = isHttp2Client ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken).WaitAsync(PortcullisProcess.Patience, TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        for (var i = 0; i < 3; i++)
        {
            seen.Release();
            Assert.Equal($"data: {i}", await events.ReadLineAsync(TestContext.Current.CancellationToken));
            Assert.Equal("", await events.ReadLineAsync(TestContext.Current.CancellationToken));
        }

        Assert.Null(await events.ReadLineAsync(TestContext.Current.CancellationToken));
    }
}
