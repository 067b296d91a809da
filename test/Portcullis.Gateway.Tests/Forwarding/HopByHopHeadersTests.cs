using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Portcullis.Gateway.Forwarding;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class HopByHopHeadersTests
{
    [Fact]
    public void RemoveNominated_LooksThroughAllLinesAndEntries_AndLeavesTheFraming()
    {
        var headers = new HeaderDictionary
        {
            ["connection"] = new StringValues(["x-hop , X-Other,, host", "close, content-length"]),
            ["X-Hop"] = "1",
            ["x-other"] = "2",
            ["x-ho"] = "3",
            ["host"] = "a",
            ["content-length"] = "5",
        };

        HopByHopHeaders.RemoveNominated(headers);

        Assert.Equal(["connection", "content-length", "host", "x-ho"], headers.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Connection")]
    [InlineData("TE")]
    [InlineData("transfer-encoding")]
    [InlineData("Keep-Alive")]
    public void Contains_WhatBelongsToOneConnection(string name) => Assert.True(HopByHopHeaders.Contains(name));

    [Theory]
    [InlineData("Trailer")]
    [InlineData("Upgrade-Insecure-Requests")]
    [InlineData("Proxy-Authorization")]
    public void Contains_NothingThatAnIngressPassesOn(string name) => Assert.False(HopByHopHeaders.Contains(name));
}
