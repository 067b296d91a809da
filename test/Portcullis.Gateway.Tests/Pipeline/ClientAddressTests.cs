using System.Net;
using Microsoft.Extensions.Primitives;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Tests.Pipeline;

public sealed class ClientAddressTests
{
    private static readonly IPAddress Peer = IPAddress.Parse("10.0.0.9");

    [Theory]
    [InlineData(0, "203.0.113.7", "10.0.0.9")] // nobody is trusted: the header means nothing
    [InlineData(1, "1.1.1.1, 203.0.113.7", "203.0.113.7")]
    [InlineData(2, "56.5.6.7, 72.9.5.6, 98.1.2.3", "72.9.5.6")]
    [InlineData(2, "203.0.113.7", "10.0.0.9")] // fewer entries than proxies: the peer
    [InlineData(1, "203.0.113.7:443", "10.0.0.9")] // not a bare address
    [InlineData(1, "[2001:db8::1]", "10.0.0.9")]
    [InlineData(1, "2001:db8::1", "2001:db8::1")]
    [InlineData(1, "", "10.0.0.9")]
    [InlineData(1, "unknown", "10.0.0.9")]
    public void Resolve_OneLine_TakesTheNthFromTheRight(int trusted, string header, string expected) =>
        Assert.Equal(IPAddress.Parse(expected), ClientAddress.Resolve(header, trusted, Peer));

    [Theory]
    [InlineData(1, "3.3.3.3")]
    [InlineData(2, "2.2.2.2")]
    [InlineData(3, "1.1.1.1")]
    [InlineData(4, "10.0.0.9")]
    public void Resolve_SeveralLines_CountsThroughAllOfThem(int trusted, string expected) =>
        Assert.Equal(IPAddress.Parse(expected), ClientAddress.Resolve(new StringValues(["1.1.1.1", "2.2.2.2,3.3.3.3"]), trusted, Peer));

    [Fact]
    public void Resolve_WithoutHeader_IsThePeer() => Assert.Equal(Peer, ClientAddress.Resolve(StringValues.Empty, 1, Peer));

    [Fact]
    public void Unmap_OfAPeerOnADualStackSocket_IsItsIPv4Address() =>
        Assert.Equal(Peer, ClientAddress.Unmap(Peer.MapToIPv6()));
}
