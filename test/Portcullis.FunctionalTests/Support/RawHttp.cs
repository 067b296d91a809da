using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.FunctionalTests.Support;

/// <summary>An answer as it came over the wire.</summary>
internal sealed record RawResponse(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, string Body)
{
    /// <summary>The only value of a header; <see langword="null"/> when it is absent.</summary>
    public string? Header(string name) =>
        Headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value).SingleOrDefault();
}

/// <summary>Sends requests byte for byte over a socket of its own, so that no client library tidies them.</summary>
internal static class RawHttp
{
    /// <summary>A GET with the header lines given; the connection is closed after the answer.</summary>
    public static Task<RawResponse> GetAsync(int port, string target, params string[] headerLines) =>
        SendAsync(port, "GET", target, headerLines);

    /// <summary>What <c>curl -I</c> sends.</summary>
    public static Task<RawResponse> HeadAsync(int port, string target, params string[] headerLines) =>
        SendAsync(port, "HEAD", target, headerLines);

    public static Task<RawResponse> SendAsync(int port, string method, string target, params string[] headerLines)
    {
        var host = headerLines.Any(h => h.StartsWith("host:", StringComparison.OrdinalIgnoreCase)) ? "" : $"Host: 127.0.0.1:{port}\r\n";
        var lines = string.Concat(headerLines.Select(h => h + "\r\n"));
        return SendTextAsync(port, $"{method} {target} HTTP/1.1\r\n{host}{lines}Connection: close\r\n\r\n", method == "HEAD");
    }

    public static async Task<RawResponse> SendTextAsync(int port, string request, bool isHead = false)
    {
        using var patience = new CancellationTokenSource(PortcullisProcess.Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), patience.Token);
        using var received = new MemoryStream();
        await stream.CopyToAsync(received, patience.Token);
        return Parse(Encoding.Latin1.GetString(received.ToArray()), isHead);
    }

    /// <summary>Whether a response with Content-Length is here in full.</summary>
    public static bool IsComplete(ReadOnlySpan<byte> received)
    {
        var text = Encoding.Latin1.GetString(received);
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end > 0 && Parse(text, isHead: false).Header("content-length") is { } length
            && text.Length >= end + 4 + int.Parse(length, System.Globalization.CultureInfo.InvariantCulture);
    }

    public static RawResponse Parse(string text, bool isHead)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.True(end > 0, $"not an HTTP response: `{text}`");
        var lines = text[..end].Split("\r\n");
        var headers = lines.Skip(1)
            .Select(l => l.Split(':', 2))
            .Select(p => KeyValuePair.Create(p[0], p[1].Trim()))
            .ToArray();
        var chunked = headers.Any(h => h.Key.Equals("transfer-encoding", StringComparison.OrdinalIgnoreCase) && h.Value == "chunked");
        var body = text[(end + 4)..];
        return new RawResponse(int.Parse(lines[0].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), headers, isHead ? "" : chunked ? Dechunk(body) : body);
    }

    private static string Dechunk(string body)
    {
        var text = new StringBuilder();
        while (body.Length > 0)
        {
            var line = body.IndexOf("\r\n", StringComparison.Ordinal);
            var size = int.Parse(body[..line], System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
            text.Append(body, line + 2, size);
            body = body[(line + 2 + size + 2)..];
            if (size == 0)
            {
                break;
            }
        }

        return text.ToString();
    }
}
