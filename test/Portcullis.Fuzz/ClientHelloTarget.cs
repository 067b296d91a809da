using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Portcullis.Gateway.Listeners.Tls;

namespace Portcullis.Fuzz;

/// <summary>
/// The first bytes of a client that should speak TLS. However much of them has arrived, what was said once stays said, an incomplete message says how
/// much more is worth waiting for, and a name has nothing in it that a log or a header could be broken with.
/// </summary>
public sealed class ClientHelloTarget : FuzzTarget
{
    public override string Name => "client-hello";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        Message("a.example.com", 16 * 1024, extras: true),
        Message("a.example.com", 7, extras: true),
        Message("xn--bcher-kva.example", 64, extras: false),
        Message(null, 16 * 1024, extras: true),
        Message(new string('a', 255), 100, extras: false),
    ];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Bytes(input);

    public override string Run(byte[] input)
    {
        var whole = ClientHelloParser.Parse(new ReadOnlySequence<byte>(input), out var hello, out _);
        var tries = 0;
        var needed = 1;
        var seen = ClientHelloStatus.Incomplete;
        ClientHello first = default;
        while (needed <= input.Length && seen == ClientHelloStatus.Incomplete)
        {
            var before = needed;
            seen = ClientHelloParser.Parse(new ReadOnlySequence<byte>(input, 0, needed), out first, out needed);
            if (++tries > (2 * ClientHelloParser.MaxRecords) + 2 || (seen == ClientHelloStatus.Incomplete && needed <= before))
            {
                throw new FuzzViolationException($"no end after {tries} tries: {needed} bytes are needed after {before}");
            }
        }

        // The rest may be the beginning of a record that can be none.
        var agrees = whole == seen || (seen == ClientHelloStatus.Incomplete && whole == ClientHelloStatus.Malformed);
        if (!agrees || (whole == ClientHelloStatus.Complete && hello != first))
        {
            throw new FuzzViolationException($"whole: {whole} {hello}, as it arrives: {seen} {first}");
        }

        if (whole != ClientHelloStatus.Complete)
        {
            return whole.ToString();
        }

        if (hello.ServerName.Length > 255 || hello.ServerName.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new FuzzViolationException($"the name `{hello.ServerName}`");
        }

        return $"{hello.ServerName.Length > 0} {hello.TakesEcdsa} {hello.OffersHttp}";
    }

    /// <summary>A message as a client would send it, in records of a length.</summary>
    public static byte[] Message(string? name, int recordLength, bool extras)
    {
        List<byte> extensions = [];
        if (name is not null)
        {
            Add(extensions, 0, Counted([0, .. Counted(Encoding.ASCII.GetBytes(name))]));
        }

        if (extras)
        {
            Add(extensions, 13, Counted([0x04, 0x03, 0x08, 0x04]));
            Add(extensions, 16, Counted([2, (byte)'h', (byte)'2']));
            Add(extensions, 0x2A2A, []);
        }

        byte[] body = [0x03, 0x03, .. new byte[32], 4, 1, 2, 3, 4, .. Counted([0x13, 0x01, 0xC0, 0x2B]), 1, 0, .. Counted([.. extensions])];
        byte[] message = [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
        return [.. message.Chunk(recordLength).SelectMany(c => (byte[])[22, 3, 1, .. Counted(c)])];
    }

    private static void Add(List<byte> extensions, ushort type, byte[] content) => extensions.AddRange([(byte)(type >> 8), (byte)type, .. Counted(content)]);

    private static byte[] Counted(byte[] content)
    {
        var bytes = new byte[2 + content.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)content.Length);
        content.CopyTo(bytes, 2);
        return bytes;
    }
}
