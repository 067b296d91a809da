using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Portcullis.Gateway.Listeners.ProxyProtocol;

namespace Portcullis.Gateway.Tests.Listeners;

public sealed class ProxyHeaderTests
{
    private const string Signature = "0D0A0D0A000D0A515549540A";
    private const string Internet = "CB007107" + "0A000009" + "30390050"; // 203.0.113.7:12345 → 10.0.0.9:80
    private const string Internet6 = "20010DB8000000000000000000000001" + "20010DB8000000000000000000000002" + "303901BB";

    [Theory]
    [InlineData("PROXY TCP4 203.0.113.7 10.0.0.9 12345 80\r\n", "203.0.113.7:12345", "10.0.0.9:80")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:DB8::2 0 65535\r\n", "[2001:db8::1]:0", "[2001:db8::2]:65535")]
    [InlineData("PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", "[::ffff:203.0.113.7]:1", "[::1]:2")]
    [InlineData("PROXY UNKNOWN\r\n", null, null)]
    [InlineData("PROXY UNKNOWN whatever it says 1 2 3\r\n", null, null)]
    public void Text_WellFormed_GivesTheAddresses(string text, string? source, string? destination)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        Assert.Equal(ProxyHeaderStatus.Complete, Parse([.. bytes, .. "GET / "u8], out var header, out var length));
        Assert.Equal((source, destination, bytes.Length), (header.Source?.ToString(), header.Destination?.ToString(), length));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("PROXY\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n")]
    [InlineData("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 0x1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP4 ::1 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n")]
    [InlineData("PROXY TCP6 [::1] ::1 1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\nX\r\n")]
    [InlineData("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n")]
    [InlineData("PROXY UNKNOWNS\r\n")]
    public void Text_Malformed_IsRefused(string text) => Assert.Equal(ProxyHeaderStatus.Malformed, Parse(Encoding.ASCII.GetBytes(text), out _, out _));

    [Fact]
    public void Text_WithoutAnEndIn107Bytes_IsRefused()
    {
        Assert.Equal(ProxyHeaderStatus.Complete, Parse(Line(ProxyHeaderParser.MaxTextLength), out _, out _));
        Assert.Equal(ProxyHeaderStatus.Malformed, Parse(Line(ProxyHeaderParser.MaxTextLength + 1), out _, out _));

        static byte[] Line(int length) => Encoding.ASCII.GetBytes("PROXY UNKNOWN ".PadRight(length - 2, 'x') + "\r\n");
    }

    [Theory]
    [InlineData("21110000", "", null)] // shorter than the addresses of the family
    [InlineData("2111000C", Internet, "203.0.113.7:12345")]
    [InlineData("21110010", Internet + "04000161", "203.0.113.7:12345")] // a TLV behind the addresses
    [InlineData("21210024", Internet6, "[2001:db8::1]:12345")]
    [InlineData("20000000", "", "peer")] // LOCAL
    [InlineData("2011000C", Internet, "peer")] // LOCAL with addresses, which do not count
    [InlineData("21000000", "", "peer")] // unspecified
    [InlineData("21000003", "AABBCC", "peer")]
    [InlineData("1111000C", Internet, null)] // version 1 in binary
    [InlineData("2211000C", Internet, null)] // no such command
    [InlineData("2112000C", Internet, null)] // a datagram
    [InlineData("21410000", "", null)] // no such family
    [InlineData("21210023", "00", null)] // one byte short of two IPv6 addresses
    [InlineData("21310001", "00", null)] // a Unix address takes 216 bytes
    public void Binary_IsReadByItsFields(string head, string rest, string? source)
    {
        var status = Parse([.. Convert.FromHexString(Signature + head + rest), .. "GET / "u8], out var header, out var length);
        Assert.Equal(source is null ? ProxyHeaderStatus.Malformed : ProxyHeaderStatus.Complete, status);
        if (source is not null)
        {
            Assert.Equal((source == "peer" ? null : source, 16 + (rest.Length / 2)), (header.Source?.ToString(), length));
        }
    }

    [Fact]
    public void Binary_UnixAddress_KeepsThePeer()
    {
        Assert.Equal(ProxyHeaderStatus.Complete, Parse(Convert.FromHexString(Signature + "213100D8" + new string('0', 432)), out var header, out var length));
        Assert.Equal((null, 232), (header.Source, length));
    }

    [Fact]
    public void Binary_LongestTlvs_AreSkipped()
    {
        var bytes = new byte[16 + ushort.MaxValue];
        Convert.FromHexString(Signature + "2111FFFF" + Internet).CopyTo(bytes, 0);
        Assert.Equal(ProxyHeaderStatus.Incomplete, Parse(bytes[..^1], out _, out _));
        Assert.Equal(ProxyHeaderStatus.Complete, Parse(bytes, out var header, out var length));
        Assert.Equal(("203.0.113.7:12345", bytes.Length), (header.Source!.ToString(), length));
    }

    [Property(MaxTest = 300)]
    public Property Reader_HoweverTheBytesAreSplit_LeavesExactlyWhatFollows() =>
        Prop.ForAll(Headers().ToArbitrary(), ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<byte[]>(), (header, following, cuts) =>
            SplitAsync(header, following, cuts).GetAwaiter().GetResult());

    [Property(MaxTest = 500)]
    public void Parser_AnyBytes_NeverThrowsAndNeverTakesMoreThanThereAre(byte[] bytes, bool isBinary)
    {
        byte[] all = [.. isBinary ? Convert.FromHexString(Signature) : "PROXY "u8.ToArray(), .. bytes];
        if (Parse(all, out _, out var length) == ProxyHeaderStatus.Complete)
        {
            Assert.InRange(length, 8, all.Length);
        }
    }

    private static async Task<bool> SplitAsync((byte[] Bytes, string Source) header, byte[] following, byte[] cuts)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        byte[] all = [.. header.Bytes, .. following];
        var reading = ProxyHeaderReader.ReadAsync(pipe.Reader, CancellationToken.None).AsTask();
        var at = 0;
        for (var i = 0; at < all.Length; i++)
        {
            var size = cuts.Length == 0 ? all.Length : Math.Min(all.Length - at, 1 + (cuts[i % cuts.Length] % 40));
            await pipe.Writer.WriteAsync(all.AsMemory(at, size));
            at += size;
        }

        await pipe.Writer.CompleteAsync();
        var read = await reading;
        var rest = await pipe.Reader.ReadAtLeastAsync(int.MaxValue);
        return read?.Source?.ToString() == header.Source && rest.Buffer.ToArray().AsSpan().SequenceEqual(following);
    }

    private static Gen<(byte[] Bytes, string Source)> Headers() =>
        from isText in ArbMap.Default.GeneratorFor<bool>()
        from address in ArbMap.Default.GeneratorFor<uint>()
        from port in ArbMap.Default.GeneratorFor<ushort>()
        from tlvs in ArbMap.Default.GeneratorFor<byte[]>()
        let source = new IPEndPoint(new IPAddress(address), port)
        select (isText ? Text(source) : Binary(source, tlvs), source.ToString());

    private static byte[] Text(IPEndPoint source) => Encoding.ASCII.GetBytes($"PROXY TCP4 {source.Address} 10.0.0.9 {source.Port} 80\r\n");

    private static byte[] Binary(IPEndPoint source, byte[] tlvs)
    {
        var bytes = new byte[28 + tlvs.Length];
        Convert.FromHexString(Signature + "2111").CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(14), (ushort)(12 + tlvs.Length));
        source.Address.GetAddressBytes().CopyTo(bytes, 16);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(24), (ushort)source.Port);
        tlvs.CopyTo(bytes, 28);
        return bytes;
    }

    private static ProxyHeaderStatus Parse(byte[] bytes, out ProxyHeader header, out int length) =>
        ProxyHeaderParser.Parse(new ReadOnlySequence<byte>(bytes), out header, out length);
}
