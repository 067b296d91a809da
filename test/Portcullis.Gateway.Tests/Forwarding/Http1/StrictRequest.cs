using System.Globalization;
using System.Text;

namespace Portcullis.Gateway.Tests.Forwarding.Http1;

/// <summary>
/// A request parser that shares nothing with the gateway: takes RFC 9112 by the letter and throws at the first byte that it does not allow. What it reads to the end is exactly one request.
/// </summary>
internal sealed record StrictRequest(string Method, string Target, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static StrictRequest ReadExactlyOne(byte[] bytes)
    {
        var at = 0;
        var parts = Line(bytes, ref at).Split(' ');
        Assert.Equal(3, parts.Length);
        Assert.Equal("HTTP/1.1", parts[2]);
        Assert.All(parts[0], c => Assert.Contains(c, TokenCharacters));
        Assert.All(parts[1], c => Assert.InRange(c, '!', '~'));
        var headers = new List<(string Name, string Value)>();
        for (var line = Line(bytes, ref at); line.Length > 0; line = Line(bytes, ref at))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            Assert.True(colon > 0, line);
            Assert.All(line[..colon], c => Assert.Contains(c, TokenCharacters));
            headers.Add((line[..colon], line[(colon + 1)..].Trim(' ', '\t')));
        }

        var body = ReadBody(bytes, ref at, headers);
        Assert.Equal(bytes.Length, at);
        Assert.Single(headers, h => Is(h, "host"));
        Assert.DoesNotContain(headers, h => Is(h, "connection") || Is(h, "keep-alive") || Is(h, "upgrade") || Is(h, "proxy-connection"));
        return new StrictRequest(parts[0], parts[1], headers, body);
    }

    public string[] Lines(string name) => [.. Headers.Where(h => Is(h, name)).Select(h => h.Value)];

    private static bool Is((string Name, string Value) header, string name) => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static byte[] ReadBody(byte[] bytes, ref int at, List<(string Name, string Value)> headers)
    {
        var lengths = headers.Where(h => Is(h, "content-length")).ToArray();
        var codings = headers.Where(h => Is(h, "transfer-encoding")).ToArray();
        Assert.True(lengths.Length + codings.Length <= 1, "framed twice");
        if (lengths is [var length])
        {
            Assert.All(length.Value, c => Assert.InRange(c, '0', '9'));
            var count = int.Parse(length.Value, CultureInfo.InvariantCulture);
            Assert.True(bytes.Length - at >= count, "body too short");
            at += count;
            return bytes[(at - count)..at];
        }

        if (codings.Length == 0)
        {
            return [];
        }

        Assert.Equal("chunked", codings[0].Value);
        var body = new List<byte>();
        while (true)
        {
            var size = int.Parse(Line(bytes, ref at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            body.AddRange(bytes[at..(at + size)]);
            at += size;
            Assert.Equal("", Line(bytes, ref at));
            if (size == 0)
            {
                return [.. body];
            }
        }
    }

    private static string Line(byte[] bytes, ref int at)
    {
        var end = bytes.AsSpan(at).IndexOf((byte)'\n');
        Assert.True(end > 0 && bytes[at + end - 1] == '\r', "a line does not end in CRLF");
        var line = bytes.AsSpan(at, end - 1);
        Assert.False(line.ContainsAny((byte)'\r', (byte)0), "CR or NUL in a line");
        at += end + 1;
        return Encoding.UTF8.GetString(line);
    }
}
