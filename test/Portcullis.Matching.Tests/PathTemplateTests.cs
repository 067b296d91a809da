namespace Portcullis.Matching.Tests;

public sealed class PathTemplateTests
{
    [Theory]
    [InlineData("/foo/{*}", "/foo/bar", true)]
    [InlineData("/foo/{*}", "/foo/", false)]
    [InlineData("/foo/{*}", "/foo/bar/", false)]
    [InlineData("/foo/{*}", "/foo/bar/baz", false)]
    [InlineData("/foo/{**}", "/foo/", true)]
    [InlineData("/foo/{**}", "/foo/a", true)]
    [InlineData("/foo/{**}", "/foo/a/b", true)]
    [InlineData("/foo/{**}", "/foo", false)]
    [InlineData("/foo/{**}", "/foobar", false)]
    [InlineData("/foo/{**}/", "/foo/a/", true)]
    [InlineData("/foo/{**}/", "/foo//", true)]
    [InlineData("/foo/{**}/", "/foo/a/b.txt/", true)]
    [InlineData("/foo/{**}/", "/foo/a", false)]
    [InlineData("/foo/{**}/", "/foo/", false)]
    [InlineData("/foo/{*}/bar/{**}", "/foo/x/bar/", true)]
    [InlineData("/foo/{*}/bar/{**}", "/foo/x/bar/y/z", true)]
    [InlineData("/foo/{*}/bar/{**}", "/foo/x/bar", false)]
    [InlineData("/foo/{*}/bar/{**}", "/foo/x/y/bar/z", false)]
    [InlineData("/{**}/bar", "/a/bar", true)]
    [InlineData("/{**}/bar", "/a/b/bar", true)]
    [InlineData("/{**}/bar", "//bar", true)]
    [InlineData("/{**}/bar", "/bar", false)]
    [InlineData("/{*}", "/a[b]|^\"<>{}\\é", true)] // characters that Envoy's operators leave out
    [InlineData("/{**}", "/a b/*", true)]
    [InlineData("/{*}/x/{*}/y", "/1/x/2/y", true)]
    [InlineData("/{*}/x/{*}/y", "/1/x/2/yz", false)]
    public void IsMatch_Operators_TakeSegmentsOrTheRest(string template, string path, bool expected)
    {
        Assert.True(PathTemplate.IsTemplate(template));
        Assert.True(PathTemplate.TryCompile(template, out var compiled, out var reason), reason);

        Assert.Equal(expected, compiled.IsMatch(path));
    }

    [Theory]
    [InlineData("/*/baz/{*}", "invalid string literal")]
    [InlineData("/{**}/foo/{*}", "not the last operator")]
    [InlineData("/{**}/{**}", "not the last operator")]
    [InlineData("/foo/{*}.txt", "beyond a supported path template")]
    [InlineData("/{*}/{x}", "beyond a supported path template")]
    [InlineData("/{*}//x", "invalid string literal")]
    [InlineData("/{*}/a?b", "invalid string literal")]
    [InlineData("foo/{*}", "begin with one `/`")]
    [InlineData("//foo/{*}", "begin with one `/`")]
    [InlineData("/foo/{*}//", "begin with one `/`")]
    public void TryCompile_WhatIstioOrEnvoyRefuses_IsRefused(string template, string reason)
    {
        Assert.False(PathTemplate.TryCompile(template, out _, out var actual));
        Assert.Contains(reason, actual, StringComparison.Ordinal);
    }

    [Fact]
    public void TryCompile_LengthWithoutBraces_IsBounded()
    {
        Assert.True(PathTemplate.TryCompile("/{*}/" + new string('a', 253), out _, out _));
        Assert.False(PathTemplate.TryCompile("/{*}/" + new string('a', 254), out _, out var reason));
        Assert.Contains("256", reason, StringComparison.Ordinal);
    }
}
