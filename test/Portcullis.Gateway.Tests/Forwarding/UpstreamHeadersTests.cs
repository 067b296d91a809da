using Portcullis.Gateway.Forwarding;

namespace Portcullis.Gateway.Tests.Forwarding;

public sealed class UpstreamHeadersTests
{
    [Fact]
    public void SetAndRemove_LookAtNamesWhateverTheirCase_AndKeepTheOrder()
    {
        var headers = new UpstreamHeaders();
        for (var i = 0; i < 30; i++)
        {
            headers.Add("X-" + i, "v");
        }

        headers.Add("x-1", "again");
        headers.Set("X-2", "set");
        headers.Remove("x-1");

        var lines = headers.Lines.ToArray();
        Assert.Equal(29, lines.Length);
        Assert.Equal(new HeaderLine("X-0", "v"), lines[0]);
        Assert.Equal(new HeaderLine("X-3", "v"), lines[1]);
        Assert.Equal(new HeaderLine("X-2", "set"), lines[^1]);
    }

    [Theory]
    [InlineData("Connection", true)]
    [InlineData("X-Forwarded-Proto", true)]
    [InlineData("Host", true)]
    [InlineData("HTTP2-Settings", true)]
    [InlineData("Accept", false)]
    [InlineData("x-forwarded-host", false)]
    public void IsDropped_WhatTheBackendDoesNotGetFromTheClient(string name, bool expected) => Assert.Equal(expected, UpstreamRequestHead.IsDropped(name));
}
