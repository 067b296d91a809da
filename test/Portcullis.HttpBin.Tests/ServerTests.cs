using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;

namespace Portcullis.HttpBin.Tests;

public sealed class ServerTests
{
    private static readonly IPEndPoint AnyFreePort = new(IPAddress.Loopback, 0);

    [Fact]
    public async Task Start_OnATakenPort_NamesTheAddress()
    {
        await using var server = await HttpBinServer.StartAsync(AnyFreePort, cancellationToken: TestContext.Current.CancellationToken);

        var failure = await Assert.ThrowsAsync<IOException>(
            () => HttpBinServer.StartAsync(server.EndPoint, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains(server.EndPoint.ToString(), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_WhileARequestWaits_ClosesItAndFreesThePort()
    {
        var server = await HttpBinServer.StartAsync(AnyFreePort, new FakeTimeProvider(), TestContext.Current.CancellationToken);
        using var client = new TcpClient();
        await client.ConnectAsync(server.EndPoint, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("GET /delay/5 HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);

        await server.DisposeAsync();
        await server.DisposeAsync();
        var read = await Record.ExceptionAsync(
            async () => Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken)));

        Assert.True(read is null or IOException);
        await using var again = await HttpBinServer.StartAsync(server.EndPoint, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(server.EndPoint, again.EndPoint);
    }

    [Theory]
    [InlineData("/delay/3", 3)]
    [InlineData("/delay/0.5", 0.5)]
    [InlineData("/delay/1000", 10)]
    public async Task Delay_OfSeconds_WaitsForThemButAtMostTen(string path, double seconds)
    {
        var time = new ObservedTime();
        await using var server = await HttpBinServer.StartAsync(AnyFreePort, time, TestContext.Current.CancellationToken);
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.BaseAddress, path));

        var answer = client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(TimeSpan.FromSeconds(seconds), await time.Waiting.Task.WaitAsync(TestContext.Current.CancellationToken));
        Assert.False(answer.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(seconds));
        using var response = await answer;

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    /// <summary>Tells how long the first timer waits, once it does.</summary>
    private sealed class ObservedTime : FakeTimeProvider
    {
        public TaskCompletionSource<TimeSpan> Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Waiting.TrySetResult(dueTime);
            return timer;
        }
    }
}
