using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portcullis.Gateway.Listeners.ProxyProtocol;

/// <summary>
/// Parses a header of HAProxy's PROXY protocol, version 1 (text) or 2 (binary), as strictly as the specification asks of a receiver. Only the bytes
/// of the header are looked at, whatever pieces they arrive in.
/// </summary>
internal static class ProxyHeaderParser
{
    /// <summary>Longest text header, its line end included.</summary>
    public const int MaxTextLength = 107;

    /// <summary>Signature, version and command, family, length.</summary>
    private const int BinaryPrefixLength = 16;

    private const int InternetLength = 12;
    private const int Internet6Length = 36;
    private const int UnixLength = 216;

    private static readonly SearchValues<char> Address6Characters = SearchValues.Create("0123456789abcdefABCDEF:.");

    private static ReadOnlySpan<byte> TextSignature => "PROXY "u8;

    private static ReadOnlySpan<byte> BinarySignature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Parses what the buffer begins with.</summary>
    /// <param name="buffer">Everything that has arrived.</param>
    /// <param name="header">Meaningful when complete.</param>
    /// <param name="length">Bytes of the header, TLVs included; at most 65,551. Meaningful when complete.</param>
    public static ProxyHeaderStatus Parse(in ReadOnlySequence<byte> buffer, out ProxyHeader header, out int length)
    {
        (header, length) = (default, 0);
        Span<byte> copy = stackalloc byte[BinaryPrefixLength + UnixLength];
        var start = buffer.Slice(0, Math.Min(buffer.Length, copy.Length));
        start.CopyTo(copy);
        ReadOnlySpan<byte> bytes = copy[..(int)start.Length];
        if (Begins(bytes, BinarySignature))
        {
            return bytes.Length < BinaryPrefixLength ? ProxyHeaderStatus.Incomplete : ParseBinary(bytes, buffer.Length, out header, out length);
        }

        return Begins(bytes, TextSignature) ? ParseText(bytes, out header, out length) : ProxyHeaderStatus.Malformed;
    }

    /// <summary>Whether the bytes are, or can still become, ones that begin with the signature.</summary>
    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature)
    {
        var common = Math.Min(bytes.Length, signature.Length);
        return bytes[..common].SequenceEqual(signature[..common]);
    }

    private static ProxyHeaderStatus ParseBinary(ReadOnlySpan<byte> bytes, long available, out ProxyHeader header, out int length)
    {
        header = default;
        var size = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        length = BinaryPrefixLength + size;
        if (bytes[12] is not (0x20 or 0x21))
        {
            return ProxyHeaderStatus.Malformed; // another version, or a command that is neither LOCAL nor PROXY
        }

        var isLocal = bytes[12] == 0x20;
        var needed = bytes[13] switch
        {
            0x00 => 0,
            0x11 => InternetLength,
            0x21 => Internet6Length,
            0x31 => UnixLength,
            _ => isLocal ? 0 : int.MaxValue, // datagrams do not come over TCP
        };
        if (!isLocal && size < needed)
        {
            return ProxyHeaderStatus.Malformed;
        }

        if (available < length)
        {
            return ProxyHeaderStatus.Incomplete;
        }

        if (!isLocal && needed is InternetLength or Internet6Length)
        {
            var addresses = bytes.Slice(BinaryPrefixLength, needed);
            var width = (needed - 4) / 2;
            header = new(
                EndPoint(addresses[..width], addresses[(2 * width)..]),
                EndPoint(addresses[width..(2 * width)], addresses[((2 * width) + 2)..]));
        }

        return ProxyHeaderStatus.Complete;
    }

    private static IPEndPoint EndPoint(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port) => new(new IPAddress(address), BinaryPrimitives.ReadUInt16BigEndian(port));

    private static ProxyHeaderStatus ParseText(ReadOnlySpan<byte> bytes, out ProxyHeader header, out int length)
    {
        (header, length) = (default, 0);
        bytes = bytes[..Math.Min(bytes.Length, MaxTextLength)];
        var end = bytes.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return bytes.Length < MaxTextLength ? ProxyHeaderStatus.Incomplete : ProxyHeaderStatus.Malformed;
        }

        length = end + 2;
        if (end < TextSignature.Length)
        {
            return ProxyHeaderStatus.Malformed;
        }

        var line = Encoding.Latin1.GetString(bytes[TextSignature.Length..end]);
        if (line == "UNKNOWN" || line.StartsWith("UNKNOWN ", StringComparison.Ordinal))
        {
            return ProxyHeaderStatus.Complete;
        }

        var fields = line.Split(' ');
        var family = fields[0] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unknown,
        };
        if (fields.Length != 5 || Address(fields[1], family) is not { } source || Address(fields[2], family) is not { } destination
            || Port(fields[3]) is not { } sourcePort || Port(fields[4]) is not { } destinationPort)
        {
            return ProxyHeaderStatus.Malformed;
        }

        header = new(new IPEndPoint(source, sourcePort), new IPEndPoint(destination, destinationPort));
        return ProxyHeaderStatus.Complete;
    }

    /// <summary>IPv4 in its canonical form only: .NET also reads octal, hexadecimal and shortened ones.</summary>
    private static IPAddress? Address(string text, AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => IPAddress.TryParse(text, out var address) && address.ToString() == text && address.AddressFamily == family ? address : null,
        AddressFamily.InterNetworkV6 => !text.AsSpan().ContainsAnyExcept(Address6Characters) && IPAddress.TryParse(text, out var address) && address.AddressFamily == family
            ? address
            : null,
        _ => null,
    };

    private static int? Port(string text) =>
        text is not ['0', _, ..] && ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;
}
