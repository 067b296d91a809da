using Microsoft.Extensions.Primitives;
using Portcullis.Gateway.Forwarding;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class HopByHopHeadersTests
{
    [Theory]
    [InlineData("X-Hop", true)]
    [InlineData("x-other", true)]
    [InlineData("close", true)]
    [InlineData("x-ho", false)]
    [InlineData("", false)]
    public void IsNamedBy_LooksThroughAllLinesAndEntries(string name, bool expected) =>
        Assert.Equal(expected, HopByHopHeaders.IsNamedBy(new StringValues(["x-hop , X-Other", "close"]), name));

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
