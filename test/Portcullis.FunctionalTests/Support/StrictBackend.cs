using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>A request as <see cref="StrictBackend"/> read it.</summary>
/// <param name="Line">The request line.</param>
/// <param name="Headers">Header lines, in their order.</param>
/// <param name="Body">The body without its framing.</param>
internal sealed record BackendRequest(string Line, IReadOnlyList<string> Headers, string Body);

/// <summary>
/// A backend with a reader of HTTP/1.1 of its own, that takes nothing but the one way to write a request: what another reader could take for something else is noted
/// as an ambiguity. So it tells whether the gateway sent exactly the requests that it meant.
/// </summary>
internal sealed class StrictBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<BackendRequest> _requests = new();
    private readonly ConcurrentQueue<string> _ambiguities = new();
    private readonly Task _accepting;

    public StrictBackend()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes that no strict reader accepts.</summary>
    public IReadOnlyCollection<string> Ambiguities => _ambiguities;

    /// <summary>Takes the requests that have come so far.</summary>
    public IReadOnlyList<BackendRequest> TakeRequests()
    {
        var taken = new List<BackendRequest>();
        while (_requests.TryDequeue(out var request))
        {
            taken.Add(request);
        }

        return taken;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
    }

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

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var reader = new ByteReader(stream);
            try
            {
                while (await ReadRequestAsync(reader) is { } request)
                {
                    _requests.Enqueue(request);
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
                }
            }
            catch (InvalidDataException e)
            {
                _ambiguities.Enqueue(e.Message);
            }
            catch (Exception e) when (e is IOException or EndOfStreamException)
            {
                // The gateway ended the connection: what it had not finished is no request.
            }
        }
    }

    private static async Task<BackendRequest?> ReadRequestAsync(ByteReader reader)
    {
        if (await reader.IsAtEndAsync())
        {
            return null;
        }

        var line = await reader.LineAsync();
        var parts = line.Split(' ');
        Require(parts is [_, _, "HTTP/1.1"] && parts[0].All(char.IsAsciiLetterUpper) && parts[1].Length > 0, $"request line `{line}`");
        Require(parts[1].All(c => c is > ' ' and not '\x7f'), $"target `{parts[1]}`");
        var headers = new List<string>();
        long? length = null;
        var isChunked = false;
        while (await reader.LineAsync() is { Length: > 0 } header)
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            Require(colon > 0 && header[..colon].All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c)), $"header `{header}`");
            var value = header[(colon + 1)..].Trim(' ', '\t');
            Require(value.All(c => c is >= ' ' or '\t' and not '\x7f'), $"header `{header}`");
            switch (header[..colon].ToLowerInvariant())
            {
                case "content-length":
                    Require(length is null && value.Length is > 0 and < 19 && value.All(char.IsAsciiDigit), $"header `{header}`");
                    length = long.Parse(value, CultureInfo.InvariantCulture);
                    break;
                case "transfer-encoding":
                    Require(!isChunked && value == "chunked", $"header `{header}`");
                    isChunked = true;
                    break;
            }

            headers.Add(header);
        }

        Require(!(isChunked && length is not null), "Content-Length beside Transfer-Encoding");
        Require(headers.Count(h => h.StartsWith("host:", StringComparison.OrdinalIgnoreCase)) == 1, "not one Host");
        var body = isChunked ? await ReadChunksAsync(reader) : await reader.TextAsync((int)(length ?? 0));
        return new BackendRequest(line, headers, body);
    }

    private static async Task<string> ReadChunksAsync(ByteReader reader)
    {
        var body = new StringBuilder();
        while (true)
        {
            var size = await reader.LineAsync();
            Require(size.Length is > 0 and < 9 && size.All(char.IsAsciiHexDigit), $"chunk size `{size}`");
            var count = int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(await reader.TextAsync(count));
            var end = await reader.LineAsync();
            Require(end.Length == 0, count == 0 ? $"trailer `{end}`" : $"`{end}` behind a chunk");
            if (count == 0)
            {
                return body.ToString();
            }
        }
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidDataException(what);
        }
    }

    /// <summary>Bytes of a connection; lines end with CR LF and in no other way.</summary>
    private sealed class ByteReader(Stream stream)
    {
        private readonly byte[] _buffer = new byte[64 * 1024];
        private int _start;
        private int _end;

        public async ValueTask<bool> IsAtEndAsync() => _start == _end && !await FillAsync();

        public async ValueTask<string> LineAsync()
        {
            var line = new StringBuilder();
            while (true)
            {
                var c = await NextAsync();
                if (c == '\n')
                {
                    throw new InvalidDataException($"a bare LF behind `{line}`");
                }

                if (c != '\r')
                {
                    line.Append(c);
                    continue;
                }

                if (await NextAsync() != '\n')
                {
                    throw new InvalidDataException($"a bare CR behind `{line}`");
                }

                return line.ToString();
            }
        }

        public async ValueTask<string> TextAsync(int count)
        {
            var text = new StringBuilder();
            while (text.Length < count)
            {
                text.Append(await NextAsync());
            }

            return text.ToString();
        }

        private async ValueTask<char> NextAsync()
        {
            if (_start == _end && !await FillAsync())
            {
                throw new EndOfStreamException();
            }

            return (char)_buffer[_start++];
        }

        private async ValueTask<bool> FillAsync()
        {
            _start = 0;
            _end = await stream.ReadAsync(_buffer);
            return _end > 0;
        }
    }
}
