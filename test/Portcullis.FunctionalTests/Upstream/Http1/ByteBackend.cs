using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.Upstream.Http1;

/// <summary>What a <see cref="ByteBackend"/> does with one request.</summary>
/// <param name="Pieces">Written one after the other, each in a write of its own.</param>
internal sealed record ByteAnswer(params string[] Pieces)
{
    /// <summary>Closes when all is written; else waits for the next request.</summary>
    public bool Closes { get; init; }

    /// <summary>Closes with a reset.</summary>
    public bool Resets { get; init; }

    /// <summary>Answers when the head is there, and reads no body.</summary>
    public bool IsEarly { get; init; }

    /// <summary>Waits between the pieces until the test says so.</summary>
    public SemaphoreSlim? Gate { get; init; }
}

/// <summary>A backend that writes whatever bytes the test wants, and keeps every byte that it got.</summary>
internal sealed class ByteBackend : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, int, ByteAnswer> _script;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private int _connections;
    private int _closed;

    /// <param name="script">Gets the request's head and its number on its connection, from 1.</param>
    public ByteBackend(Func<string, int, ByteAnswer> script)
    {
        _script = script;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Connections that the gateway has closed.</summary>
    public int Closed => Volatile.Read(ref _closed);

    /// <summary>Heads and bodies as they came.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(socket, _stop.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        using var owned = socket;
        socket.NoDelay = true;
        var pending = "";
        try
        {
            for (var number = 1; ; number++)
            {
                var (head, after) = await ReadHeadAsync(socket, pending, stop);
                var answer = _script(head, number);
                var body = "";
                (body, pending) = answer.IsEarly ? ("", after) : await ReadBodyAsync(socket, head, after, stop);
                _requests.Enqueue(head + body);
                foreach (var piece in answer.Pieces)
                {
                    await socket.SendAsync(Encoding.Latin1.GetBytes(piece), stop);
                    if (answer.Gate is { } gate)
                    {
                        await gate.WaitAsync(stop);
                    }
                }

                if (answer.Resets)
                {
                    socket.LingerState = new LingerOption(true, 0);
                    return;
                }

                if (answer.Closes)
                {
                    socket.Shutdown(SocketShutdown.Send);
                    await DrainAsync(socket, stop);
                    return;
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or EndOfStreamException)
        {
            Interlocked.Increment(ref _closed);
        }
    }

    private static async Task DrainAsync(Socket socket, CancellationToken stop)
    {
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, stop) > 0)
        {
            // Unread bytes would turn the close into a reset.
        }
    }

    private static async Task<(string Head, string After)> ReadHeadAsync(Socket socket, string pending, CancellationToken stop)
    {
        int end;
        while ((end = pending.IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
        {
            pending += await ReceiveAsync(socket, stop);
        }

        return (pending[..(end + 4)], pending[(end + 4)..]);
    }

    private static async Task<(string Body, string After)> ReadBodyAsync(Socket socket, string head, string pending, CancellationToken stop)
    {
        if (head.Contains("transfer-encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            int end;
            while ((end = pending.IndexOf("0\r\n\r\n", StringComparison.Ordinal)) < 0)
            {
                pending += await ReceiveAsync(socket, stop);
            }

            return (pending[..(end + 5)], pending[(end + 5)..]);
        }

        var line = head.Split("\r\n").FirstOrDefault(l => l.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase));
        var length = line is null ? 0 : int.Parse(line.AsSpan(15), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
        var text = new StringBuilder(pending);
        while (text.Length < length)
        {
            text.Append(await ReceiveAsync(socket, stop));
        }

        pending = text.ToString();
        return (pending[..length], pending[length..]);
    }

    private static async Task<string> ReceiveAsync(Socket socket, CancellationToken stop)
    {
        var buffer = new byte[64 * 1024];
        var read = await socket.ReceiveAsync(buffer, stop);
        return read > 0 ? Encoding.Latin1.GetString(buffer, 0, read) : throw new EndOfStreamException();
    }
}
