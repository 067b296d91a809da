using System.Net;
using System.Net.Sockets;
using System.Text;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Listeners;

/// <summary>HTTP/1.1 and HTTP/2 with prior knowledge on one port in clear (routing.md §6.6).</summary>
public sealed class HttpVersionTests
{
    [Fact]
    public async Task PlainPort_ServesBothVersions()
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new());
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/a?b=c") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal((version, HttpStatusCode.OK), (response.Version, response.StatusCode));
            Assert.StartsWith("GET /a?b=c HTTP/1.1", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PlainPort_ManyHttp2StreamsAtOnce_AllAreAnswered()
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new());
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/{i}") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).StartsWith($"GET /{i} ", StringComparison.Ordinal);
        }));
        Assert.All(answers, Assert.True);
    }

    [Theory]
    [InlineData("P")] // of PRI, or of POST
    [InlineData("PO")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r")]
    public async Task Request_WhoseFirstBytesComeAlone_IsServedByTheRightVersion(string first)
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new());
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, gateway.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var isHttp2 = first.Length > 2;
        byte[] whole = isHttp2 ? [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0] : Encoding.ASCII.GetBytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        await stream.WriteAsync(whole.AsMemory(0, first.Length), TestContext.Current.CancellationToken);
        await stream.WriteAsync(whole.AsMemory(first.Length), TestContext.Current.CancellationToken);
        var answer = new byte[9];
        await stream.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
        if (isHttp2)
        {
            Assert.Equal(4, answer[3]); // the server's SETTINGS
        }
        else
        {
            Assert.Equal("HTTP/1.1 ", Encoding.ASCII.GetString(answer));
        }
    }

    [Fact]
    public async Task RemovedListener_LetsAnHttp2StreamFinish()
    {
        using var backend = new HoldingBackend();
        await using var gateway = await RunningGateway.StartAsync("{}", ("endpoints.yaml", Samples.Endpoints(backend.Port)));
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{gateway.Port}/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var answer = client.SendAsync(request, TestContext.Current.CancellationToken);
        await backend.Received;
        await gateway.ApplyAsync(() => gateway.Delete("gateway.yaml"));
        backend.Answer();
        using var response = await answer;
        Assert.Equal("ok", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
