using System.Buffers;
using Portcullis.Gateway.Listeners.ProxyProtocol;

namespace Portcullis.Fuzz;

/// <summary>The first bytes of a connection that should begin with a PROXY header: what was said once stays said, whatever follows.</summary>
public sealed class ProxyHeaderTarget : FuzzTarget
{
    public override string Name => "proxy-header";

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        "PROXY TCP4 203.0.113.7 10.0.0.9 12345 80\r\nGET / HTTP/1.1\r\n"u8.ToArray(),
        "PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"u8.ToArray(),
        "PROXY UNKNOWN\r\n"u8.ToArray(),
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 203, 0, 113, 7, 10, 0, 0, 9, 0x30, 0x39, 0, 80, (byte)'x'],
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x21, 0, 40, .. new byte[40]],
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0x00, 0, 0],
    ];

    public override byte[] Mutate(Mutator mutator, byte[] input) => mutator.Bytes(input);

    public override string Run(byte[] input)
    {
        var whole = Parse(input, input.Length);
        for (var end = 0; end <= Math.Min(input.Length, 300); end++)
        {
            var part = Parse(input, end);
            if (part.Status != ProxyHeaderStatus.Incomplete && part != whole)
            {
                throw new FuzzViolationException($"after {end} bytes: {part}, in the end: {whole}");
            }
        }

        if (whole.Status == ProxyHeaderStatus.Complete && (whole.Length < 8 || whole.Length > input.Length || whole.Header.Source is null != whole.Header.Destination is null))
        {
            throw new FuzzViolationException($"{whole} of {input.Length} bytes");
        }

        return $"{whole.Status} {whole.Header.Source?.AddressFamily}";
    }

    private static (ProxyHeaderStatus Status, ProxyHeader Header, int Length) Parse(byte[] input, int end)
    {
        var status = ProxyHeaderParser.Parse(new ReadOnlySequence<byte>(input, 0, end), out var header, out var length);
        return status == ProxyHeaderStatus.Complete ? (status, header, length) : (status, default, 0);
    }
}
