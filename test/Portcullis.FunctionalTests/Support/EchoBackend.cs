using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>A backend that answers every request with its head, byte for byte as it came.</summary>
public sealed class EchoBackend : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public EchoBackend()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var buffer = new byte[128 * 1024];
            var length = 0;
            try
            {
                while (await stream.ReadAsync(buffer.AsMemory(length)) is var read and > 0)
                {
                    length += read;
                    while (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is var end and >= 0)
                    {
                        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {end}\r\n\r\n"));
                        await stream.WriteAsync(buffer.AsMemory(0, end));
                        buffer.AsSpan(end + 4, length - end - 4).CopyTo(buffer);
                        length -= end + 4;
                    }
                }
            }
            catch (IOException)
            {
                // The gateway has closed the connection.
            }
        }
    }
}

/// <summary>The request that reached an <see cref="EchoBackend"/>.</summary>
internal sealed record EchoedRequest(string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>Reads it from the answer to it.</summary>
    public static EchoedRequest Of(RawResponse response)
    {
        var lines = response.Body.Split("\r\n");
        var first = lines[0].Split(' ');
        Assert.True(first is [_, _, "HTTP/1.1"], $"not an echoed request: {response.Status} `{response.Body}`");
        return new(first[0], first[1], [.. lines.Skip(1).Select(l => l.Split(": ", 2)).Select(p => KeyValuePair.Create(p[0], p[1]))]);
    }

    /// <summary>The lines of one header.</summary>
    public IEnumerable<string> Lines(string name) => Headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value);
}
