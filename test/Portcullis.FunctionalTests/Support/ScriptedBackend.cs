using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>One request as a <see cref="ScriptedBackend"/> got it.</summary>
internal sealed record ScriptedRequest(int Number, string Head, string Body)
{
    /// <summary>The lines of one header.</summary>
    public string[] Lines(string name) =>
        [.. Head.Split("\r\n").Skip(1).Select(l => l.Split(": ", 2)).Where(p => p[0].Equals(name, StringComparison.OrdinalIgnoreCase)).Select(p => p[1])];

    /// <summary>The only line of a header; <see langword="null"/> when it is absent.</summary>
    public string? Header(string name) => Lines(name).SingleOrDefault();
}

/// <summary>What a <see cref="ScriptedBackend"/> does with a request.</summary>
internal sealed record ScriptedAnswer(string Bytes)
{
    /// <summary>Says nothing until the test is over.</summary>
    public static ScriptedAnswer Nothing { get; } = new("") { Holds = true };

    /// <summary>Closes the connection without a word.</summary>
    public static ScriptedAnswer Close { get; } = new("") { Closes = true };

    /// <summary>Resets the connection (RST) without a word.</summary>
    public static ScriptedAnswer Reset { get; } = new("") { Closes = true, Resets = true };

    public bool Holds { get; init; }

    public bool Closes { get; init; }

    public bool Resets { get; init; }

    /// <summary>A whole answer.</summary>
    public static ScriptedAnswer Of(int status, string body = "", string headers = "") =>
        new($"HTTP/1.1 {status} Scripted\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}");
}

/// <summary>A backend that answers as the test says, request by request, whatever connection they come on.</summary>
internal sealed class ScriptedBackend : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<ScriptedRequest, ScriptedAnswer> _script;
    private readonly ConcurrentQueue<ScriptedRequest> _requests = new();
    private readonly CancellationTokenSource _stop = new();
    private int _number;
    private bool _isDisposed;
    private int _connections;

    public ScriptedBackend(Func<ScriptedRequest, ScriptedAnswer> script)
    {
        _script = script;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Always the same answer.</summary>
    public ScriptedBackend(ScriptedAnswer always)
        : this(_ => always)
    {
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What has come so far.</summary>
    public IReadOnlyList<ScriptedRequest> Requests => [.. _requests];

    /// <summary>Connections accepted so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Waits until a number of requests is here.</summary>
    public async Task WaitForAsync(int requests)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        while (_requests.Count < requests)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        if (!_isDisposed)
        {
            _isDisposed = true;
            _stop.Cancel();
            _stop.Dispose();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(client, _stop.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken stop)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var pending = "";
                while (await ReadAsync(stream, pending, stop) is { } read)
                {
                    pending = read.After;
                    var request = new ScriptedRequest(Interlocked.Increment(ref _number), read.Head, read.Body);
                    _requests.Enqueue(request);
                    var answer = _script(request);
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(answer.Bytes), stop);
                    if (answer.Holds)
                    {
                        await Task.Delay(Timeout.Infinite, stop);
                    }

                    if (answer.Closes)
                    {
                        client.LingerState = new LingerOption(answer.Resets, 0);
                        return;
                    }
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The gateway has closed the connection, or the test is over.
            }
        }
    }

    private static async Task<(string Head, string Body, string After)?> ReadAsync(NetworkStream stream, string pending, CancellationToken stop)
    {
        var text = new StringBuilder(pending);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            if (Split(text.ToString()) is { } request)
            {
                return request;
            }

            var read = await stream.ReadAsync(buffer, stop);
            if (read == 0)
            {
                return null;
            }

            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
    }

    private static (string Head, string Body, string After)? Split(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var (head, rest) = (text[..end], text[(end + 4)..]);
        if (head.Contains("transfer-encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            var last = rest.IndexOf("0\r\n\r\n", StringComparison.Ordinal);
            return last < 0 ? null : (head, rest[..last], rest[(last + 5)..]);
        }

        var length = new ScriptedRequest(0, head, "").Header("content-length") is { } written ? int.Parse(written, System.Globalization.CultureInfo.InvariantCulture) : 0;
        return rest.Length < length ? null : (head, rest[..length], rest[length..]);
    }
}
