using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Portcullis.FunctionalTests.Support;
using Portcullis.HttpBin;

namespace Portcullis.FunctionalTests.Running;

/// <summary>Gateways that hand a port over while clients ask: no connection that was made is lost, and no request.</summary>
public sealed class RollingRestartTests : IDisposable
{
    private const int Restarts = 2;
    private const int AnswersBetween = 100;

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _done = new();
    private int _answers;

    [Fact]
    public async Task Restarts_UnderTraffic_LoseNoRequest()
    {
        await using var backend = await HttpBinServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), cancellationToken: TestContext.Current.CancellationToken);
        foreach (var (file, yaml) in Samples.Guide(backend.EndPoint.Port))
        {
            _folder.Write(Path.Combine("config", file), yaml);
        }

        // Keeps the number for the gateways; it does not listen, so it gets no connection.
        using var reserved = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        reserved.SetRawSocketOption(1, 15, BitConverter.GetBytes(1));
        reserved.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        var port = ((IPEndPoint)reserved.LocalEndPoint!).Port;
        var current = await StartAsync(port);
        try
        {
            Task[] clients = [AskAsync(port, keepAlive: false), AskAsync(port, keepAlive: false), AskAsync(port, keepAlive: true), AskAsync(port, keepAlive: true)];
            for (var i = 0; i < Restarts; i++)
            {
                await MoreAnswersAsync(clients);
                var next = await StartAsync(port);
                current.Signal(PosixSignal.SIGTERM);
                Assert.Equal(0, await current.WaitForExitAsync());
                await current.DisposeAsync();
                current = next;
            }

            await MoreAnswersAsync(clients);
            await _done.CancelAsync();
            await Task.WhenAll(clients);
        }
        finally
        {
            await current.DisposeAsync();
        }
    }

    public void Dispose()
    {
        _done.Dispose();
        _folder.Dispose();
    }

    private async Task<PortcullisProcess> StartAsync(int port)
    {
        var process = PortcullisProcess.Start(
            "run", "-f", _folder.File("config"), "--port", $"80={port}", "--reuse-port", "--status-port", "0", "--stats-port", "0", "--admin", "off", "--drain-seconds", "20");
        await process.WaitForLineAsync("ready:");
        return process;
    }

    private async Task MoreAnswersAsync(Task[] clients)
    {
        var enough = Volatile.Read(ref _answers) + AnswersBetween;
        while (Volatile.Read(ref _answers) < enough)
        {
            if (Array.Find(clients, c => c.IsCompleted) is { } ended)
            {
                await ended; // shows why
            }

            await Task.Yield();
        }
    }

    /// <summary>One request after the other; ends at the first that fails.</summary>
    private async Task AskAsync(int port, bool keepAlive)
    {
        await Task.Yield();
        var request = Encoding.ASCII.GetBytes($"GET /status/200 HTTP/1.1\r\nHost: a\r\n{(keepAlive ? "" : "Connection: close\r\n")}\r\n");
        var buffer = new byte[4096];
        while (!_done.IsCancellationRequested)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            var stream = client.GetStream();
            var isLast = false;
            while (!isLast && !_done.IsCancellationRequested)
            {
                await stream.WriteAsync(request);
                var length = 0;
                do
                {
                    var read = await stream.ReadAsync(buffer.AsMemory(length));
                    Assert.True(read > 0, $"closed after {length} bytes of an answer");
                    length += read;
                }
                while (!buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8));

                var answer = Encoding.ASCII.GetString(buffer, 0, length);
                Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
                isLast = answer.Contains("Connection: close", StringComparison.OrdinalIgnoreCase);
                Interlocked.Increment(ref _answers);
            }
        }
    }
}
