using System.Net;
using FsCheck.Xunit;

namespace Portcullis.Matching.Tests;

public sealed class CidrSetTests
{
    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", true)]
    [InlineData("203.0.113.7", "203.0.113.8", false)]
    [InlineData("203.0.113.99/24", "203.0.113.1", true)] // host bits are masked
    [InlineData("203.0.113.0/24", "203.0.114.0", false)]
    [InlineData("0.0.0.0/0", "255.255.255.255", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "10.0.0.1", false)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)] // a dual-stack socket's IPv4 peer
    [InlineData("::/0", "::ffff:10.1.2.3", false)]
    [InlineData("::ffff:10.0.0.0/104", "10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1", true)]
    [InlineData("10.0.0.0/8", "::10.0.0.1", false)] // IPv4-compatible is IPv6
    [InlineData("127.0.0.1/32", "127.0.0.1", true)]
    [InlineData("fe80::/10", "fe80::1%3", true)]
    public void Contains_Address_DependsOnTheBlock(string block, string address, bool expected) =>
        Assert.Equal(expected, Set(block).Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("bad")]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("10.0.1")]
    [InlineData("010.0.0.1")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("10.0.0.1.")]
    [InlineData("256.0.0.1")]
    [InlineData("10.0.0.1:80")]
    [InlineData("[::1]")]
    [InlineData("fe80::1%eth0")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/08")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/255.0.0.0")]
    [InlineData("2001:db8::/129")]
    [InlineData("::ffff:10.0.0.0/8")]
    [InlineData(" 10.0.0.1")]
    public void TryParse_NoAddressOrBlock_IsRefused(string text)
    {
        Assert.False(CidrBlock.TryParse(text, out _, out var reason));
        Assert.Contains($"`{text}`", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Contains_NoAddress_IsFalse() => Assert.False(Set("0.0.0.0/0").Contains(null));

    [Property]
    public bool Contains_ManyBlocks_IsWhatAnyOneOfThemSays(uint[] addresses, byte[] lengths, uint probe)
    {
        var blocks = addresses.Zip(lengths, (a, l) => $"{new IPAddress(a)}/{l % 33}").ToArray();
        var address = new IPAddress(probe);

        return Set(blocks).Contains(address) == blocks.Any(b => IPNetwork.Parse(Masked(b)).Contains(address));
    }

    private static string Masked(string block)
    {
        var (address, length) = (IPAddress.Parse(block.Split('/')[0]), int.Parse(block.Split('/')[1], System.Globalization.CultureInfo.InvariantCulture));
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < 32; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return $"{new IPAddress(bytes)}/{length}";
    }

    private static CidrSet Set(params string[] blocks) => new([.. blocks.Select(b =>
    {
        Assert.True(CidrBlock.TryParse(b, out var block, out var reason), reason);
        return block;
    })]);
}
