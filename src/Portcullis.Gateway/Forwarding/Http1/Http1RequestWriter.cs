using System.Buffers;
using System.Buffers.Text;
using System.Globalization;

namespace Portcullis.Gateway.Forwarding.Http1;

/// <summary>
/// Writes the head of an HTTP/1.1 request (RFC 9112 §3). Exactly one request comes out, whatever its parts hold: anything that could end a line early is refused, and the
/// framing headers come from here alone.
/// </summary>
internal static class Http1RequestWriter
{
    private static readonly SearchValues<char> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> LineBreaking = SearchValues.Create("\r\n\0");

    /// <summary>Writes request line, <c>Host</c>, the lines, and the framing.</summary>
    /// <param name="buffer">Where to; holds a part of the head when it returns <see langword="false"/>.</param>
    /// <param name="method">A token.</param>
    /// <param name="target">Path and query, from a slash; what is not ASCII is percent-encoded.</param>
    /// <param name="authority">For <c>Host</c>.</param>
    /// <param name="lines">All other headers; those about framing and connection among them are left out.</param>
    /// <param name="contentLength">Length of the body; <see langword="null"/> when it is not known.</param>
    /// <param name="isChunked">There is a body whose length is not known.</param>
    /// <param name="closes">The connection is not used again.</param>
    /// <returns><see langword="false"/> when it cannot be sent: a part is not what it must be, or the head is too long.</returns>
    public static bool TryWrite(
        HeadBuffer buffer, string method, string target, string authority, ReadOnlySpan<HeaderLine> lines, long? contentLength, bool isChunked, bool closes = false)
    {
        if (method.Length == 0 || method.AsSpan().ContainsAnyExcept(Token) || !buffer.TryReserve(method.Length + 1))
        {
            return false;
        }

        buffer.WriteText(method);
        buffer.Write(" "u8);
        if (!TryWriteTarget(buffer, target) || authority.AsSpan().ContainsAny(LineBreaking) || !buffer.TryReserve((3 * authority.Length) + 32))
        {
            return false;
        }

        buffer.Write(" HTTP/1.1\r\nHost: "u8);
        buffer.WriteText(authority);
        buffer.Write("\r\n"u8);
        foreach (ref readonly var line in lines)
        {
            if (!IsOwn(line.Name) && !TryWriteLine(buffer, in line))
            {
                return false;
            }
        }

        return TryEnd(buffer, method, contentLength, isChunked, closes);
    }

    private static bool TryWriteLine(HeadBuffer buffer, in HeaderLine line)
    {
        var (name, value) = (line.Name, line.Value);
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(Token) || value.AsSpan().ContainsAny(LineBreaking)
            || !buffer.TryReserve(name.Length + (3 * value.Length) + 4))
        {
            return false;
        }

        buffer.WriteText(name);
        buffer.Write(": "u8);
        buffer.WriteText(value);
        buffer.Write("\r\n"u8);
        return true;
    }

    private static bool TryEnd(HeadBuffer buffer, string method, long? contentLength, bool isChunked, bool closes)
    {
        if (!buffer.TryReserve(96))
        {
            return false;
        }

        if (closes)
        {
            buffer.Write("Connection: close\r\n"u8);
        }

        if (isChunked)
        {
            buffer.Write("Transfer-Encoding: chunked\r\n"u8);
        }
        else if (contentLength is { } length)
        {
            WriteLength(buffer, length);
        }
        else if (method is "POST" or "PUT" or "PATCH")
        {
            // A client expects one where a body is usual (RFC 9110 §8.6).
            WriteLength(buffer, 0);
        }

        buffer.Write("\r\n"u8);
        return true;
    }

    private static void WriteLength(HeadBuffer buffer, long length)
    {
        buffer.Write("Content-Length: "u8);
        Utf8Formatter.TryFormat(length, buffer.Tail, out var written);
        buffer.Advance(written);
        buffer.Write("\r\n"u8);
    }

    private static bool TryWriteTarget(HeadBuffer buffer, string target)
    {
        if (target.Length == 0 || target[0] is not ('/' or '*') || !buffer.TryReserve(target.Length))
        {
            return false;
        }

        if (target.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return TryEncodeTarget(buffer, target);
        }

        buffer.WriteText(target);
        return true;
    }

    private static bool TryEncodeTarget(HeadBuffer buffer, string target)
    {
        // Three bytes of UTF-8 for a character at most, three of the target for each.
        if (target.AsSpan().ContainsAnyInRange('\0', ' ') || target.Contains('\x7f', StringComparison.Ordinal) || !buffer.TryReserve(9 * target.Length))
        {
            return false;
        }

        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in target.EnumerateRunes())
        {
            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
            {
                var tail = buffer.Tail;
                if (rune.IsAscii)
                {
                    tail[0] = b;
                    buffer.Advance(1);
                    continue;
                }

                tail[0] = (byte)'%';
                b.TryFormat(tail[1..], out _, "X2", CultureInfo.InvariantCulture);
                buffer.Advance(3);
            }
        }

        return true;
    }

    /// <summary>Headers that only the writer itself writes, or that have no place between gateway and backend.</summary>
    private static bool IsOwn(string name) => name.Length switch
    {
        4 => Is(name, "host"),
        7 => Is(name, "upgrade"),
        10 => Is(name, "connection") || Is(name, "keep-alive"),
        14 => Is(name, "content-length"),
        16 => Is(name, "proxy-connection"),
        17 => Is(name, "transfer-encoding"),
        _ => false,
    };

    private static bool Is(string name, string lower) => name.Equals(lower, StringComparison.OrdinalIgnoreCase);
}
