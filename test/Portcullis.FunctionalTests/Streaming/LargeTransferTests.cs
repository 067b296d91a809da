using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Streaming;

/// <summary>Bodies larger than any buffer go through the real executable, whose memory does not grow with them.</summary>
public sealed class LargeTransferTests
{
    private const long Size = 200L * 1024 * 1024;
    private const long MaxGrowth = 50L * 1024 * 1024;

    [Fact]
    public async Task DownloadAndUpload_OfMoreThanFitsInMemory_PassWhole_AndMemoryStaysFlat()
    {
        await using var backend = await WebBackend.StartAsync(AnswerAsync);
        await using var gateway = await RunningGateway.StartAsync("{}", ("endpoints.yaml", Samples.Endpoints(backend.Port)));
        using var process = Process.GetProcessById(gateway.Process.Id);
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });

        // What the first requests make the process take is not theirs.
        Assert.Equal(Size / 10, await DownloadAsync(client, gateway.Port, Size / 10));
        Assert.Equal(Size / 10, await UploadAsync(client, gateway.Port, Size / 10));
        var before = Memory(process);
        var largest = before;
        Assert.Equal(Size, await DownloadAsync(client, gateway.Port, Size));
        largest = Math.Max(largest, Memory(process));
        Assert.Equal(Size, await UploadAsync(client, gateway.Port, Size));
        largest = Math.Max(largest, Memory(process));

        Assert.InRange(largest - before, long.MinValue, MaxGrowth);
    }

    private static long Memory(Process process)
    {
        process.Refresh();
        return process.WorkingSet64;
    }

    /// <returns>Bytes that came.</returns>
    private static async Task<long> DownloadAsync(HttpMessageInvoker client, int port, long size)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/{size}");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await CountAsync(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <returns>Bytes that the backend says it got.</returns>
    private static async Task<long> UploadAsync(HttpMessageInvoker client, int port, long size)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/") { Content = new ZerosContent(size) };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return long.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
    }

    private static async Task AnswerAsync(HttpContext http)
    {
        if (HttpMethods.IsPost(http.Request.Method))
        {
            var received = await CountAsync(http.Request.Body);
            await http.Response.WriteAsync(received.ToString(CultureInfo.InvariantCulture));
            return;
        }

        using var content = new ZerosContent(long.Parse(http.Request.Path.Value![1..], CultureInfo.InvariantCulture));
        await content.CopyToAsync(http.Response.Body);
    }

    private static async Task<long> CountAsync(Stream stream)
    {
        var buffer = new byte[64 * 1024];
        long count = 0;
        while (await stream.ReadAsync(buffer) is var read and > 0)
        {
            count += read;
        }

        return count;
    }

    /// <summary>A body of unsaid length, made as it is sent.</summary>
    private sealed class ZerosContent(long size) : HttpContent
    {
        private static readonly byte[] Block = new byte[64 * 1024];

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var left = size; left > 0; left -= Block.Length)
            {
                await stream.WriteAsync(Block.AsMemory(0, (int)Math.Min(left, Block.Length)));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
