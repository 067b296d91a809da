using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Portcullis.Gateway.Listeners.Tls;

/// <summary>What became of the bytes read so far.</summary>
internal enum ClientHelloStatus
{
    /// <summary>They can still become a ClientHello.</summary>
    Incomplete,

    /// <summary>A ClientHello.</summary>
    Complete,

    /// <summary>They are something else.</summary>
    Malformed,
}

/// <summary>
/// Parses the records of a ClientHello (RFC 8446 §4.1.2, §5.1; RFC 6066 §3), cut into as many as <see cref="MaxRecords"/>. What two readers could read
/// differently is refused: the gateway routes by one reading, a backend that TLS is passed through to may have the other.
/// </summary>
internal static class ClientHelloParser
{
    /// <summary>Longest message looked at, as in Envoy's TLS inspector.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>
    /// Most records of one message. Every record that arrives has all of them read again, so that a client which cuts its message into single bytes would
    /// have a great deal of work done for little.
    /// </summary>
    public const int MaxRecords = 64;

    private const int RecordHeader = 5;
    private const int MaxBytes = MaxLength + (RecordHeader * MaxRecords);
    private const int MaxRecord = 16 * 1024;

    /// <summary>Parses what the buffer begins with.</summary>
    /// <param name="buffer">Everything that has arrived.</param>
    /// <param name="hello">Meaningful when complete.</param>
    /// <param name="needed">When incomplete: bytes without which there is no point in trying again.</param>
    public static ClientHelloStatus Parse(in ReadOnlySequence<byte> buffer, out ClientHello hello, out int needed)
    {
        hello = default;
        var length = (int)Math.Min(buffer.Length, MaxBytes);
        var rented = ArrayPool<byte>.Shared.Rent(length + 1);
        try
        {
            var bytes = rented.AsSpan(0, length);
            buffer.Slice(0, length).CopyTo(bytes);
            return Parse(bytes, out hello, out needed);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Moves the records' content together at the front of the span, then reads the message.</summary>
    private static ClientHelloStatus Parse(Span<byte> bytes, out ClientHello hello, out int needed)
    {
        hello = default;
        var (at, filled, total) = (0, 0, int.MaxValue);
        for (var records = 0; filled < total; records++)
        {
            needed = at + RecordHeader;
            if (records == MaxRecords)
            {
                return ClientHelloStatus.Malformed;
            }

            var record = bytes[at..];
            if ((record.Length > 0 && record[0] != 22) || (record.Length > 1 && record[1] != 3))
            {
                return ClientHelloStatus.Malformed;
            }

            if (record.Length < RecordHeader)
            {
                return Until(needed);
            }

            int size = BinaryPrimitives.ReadUInt16BigEndian(record[3..]);
            if (size is 0 or > MaxRecord)
            {
                return ClientHelloStatus.Malformed;
            }

            needed += size;
            if (record.Length < RecordHeader + size)
            {
                return Until(needed);
            }

            record.Slice(RecordHeader, size).CopyTo(bytes[filled..]);
            (at, filled) = (at + RecordHeader + size, filled + size);
            if (filled >= 4 && total == int.MaxValue)
            {
                if (bytes[0] != 1)
                {
                    return ClientHelloStatus.Malformed;
                }

                total = 4 + ((bytes[1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
                if (total > MaxLength)
                {
                    return ClientHelloStatus.Malformed;
                }
            }
        }

        needed = 0;
        return TryReadMessage(bytes[4..total], out hello) ? ClientHelloStatus.Complete : ClientHelloStatus.Malformed;
    }

    private static ClientHelloStatus Until(int needed) => needed > MaxBytes ? ClientHelloStatus.Malformed : ClientHelloStatus.Incomplete;

    private static bool TryReadMessage(ReadOnlySpan<byte> message, out ClientHello hello)
    {
        hello = new ClientHello("", TakesEcdsa: false, OffersHttp: false);
        if (message.Length < 34)
        {
            return false;
        }

        message = message[34..]; // version and random
        if (!TryTake8(ref message, out _) || !TryTake16(ref message, out _) || !TryTake8(ref message, out _))
        {
            return false; // session, cipher suites, compression
        }

        if (message.IsEmpty)
        {
            return true; // no extensions
        }

        if (!TryTake16(ref message, out var extensions) || !message.IsEmpty)
        {
            return false;
        }

        var hasName = false;
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 4)
            {
                return false;
            }

            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake16(ref extensions, out var content))
            {
                return false;
            }

            switch (type)
            {
                case 0:
                    if (hasName || !TryReadServerName(content, out var name))
                    {
                        return false; // a second one is forbidden (RFC 8446 §4.2)
                    }

                    (hasName, hello) = (true, hello with { ServerName = name });
                    break;
                case 13:
                    hello = hello with { TakesEcdsa = HasEcdsa(content) };
                    break;
                case 16:
                    hello = hello with { OffersHttp = HasHttp(content) };
                    break;
            }
        }

        return true;
    }

    private static bool TryReadServerName(ReadOnlySpan<byte> content, out string name)
    {
        name = "";
        if (!TryTake16(ref content, out var list) || !content.IsEmpty || list.IsEmpty || list[0] != 0)
        {
            return false; // only host names exist
        }

        list = list[1..];
        if (!TryTake16(ref list, out var host) || !list.IsEmpty || host.Length is 0 or > 255 || host.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E))
        {
            return false;
        }

        name = Encoding.ASCII.GetString(host).ToLowerInvariant();
        return true;
    }

    private static bool HasEcdsa(ReadOnlySpan<byte> content)
    {
        if (TryTake16(ref content, out var schemes))
        {
            for (; schemes.Length >= 2; schemes = schemes[2..])
            {
                if (BinaryPrimitives.ReadUInt16BigEndian(schemes) is 0x0403 or 0x0503 or 0x0603)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool HasHttp(ReadOnlySpan<byte> content)
    {
        if (TryTake16(ref content, out var protocols))
        {
            while (TryTake8(ref protocols, out var protocol))
            {
                if (protocol.SequenceEqual("h2"u8) || protocol.SequenceEqual("http/1.1"u8))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool TryTake8(ref ReadOnlySpan<byte> from, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        return from.Length >= 1 && TryTake(ref from, 1, from[0], out taken);
    }

    private static bool TryTake16(ref ReadOnlySpan<byte> from, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        return from.Length >= 2 && TryTake(ref from, 2, BinaryPrimitives.ReadUInt16BigEndian(from), out taken);
    }

    private static bool TryTake(ref ReadOnlySpan<byte> from, int prefix, int length, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (from.Length < prefix + length)
        {
            return false;
        }

        taken = from.Slice(prefix, length);
        from = from[(prefix + length)..];
        return true;
    }
}
