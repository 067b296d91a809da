namespace Portcullis.Matching.Tests;

public sealed class RegexRewriteTests
{
    [Theory]
    [InlineData("^/service/([^/]+)(/.*)$", @"\2/instance/\1", "/service/foo/v1/api", "/v1/api/instance/foo")]
    [InlineData("one", "two", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/two/zzz")]
    [InlineData("^(.*?)one(.*)$", @"\1two\2", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/one/zzz")]
    [InlineData("(?i)/xxx/", "/yyy/", "/aaa/XxX/bbb", "/aaa/yyy/bbb")]
    [InlineData("b", "x", "aaa", "aaa")]
    [InlineData("a", @"[\0]", "ab", "[a]b")]
    [InlineData("a", @"\\", "ab", @"\b")]
    [InlineData("a", "$1$&", "ab", "$1$&b")] // no .NET substitutions
    [InlineData("(a)|(b)", @"<\1\2>", "ab", "<a><b>")] // a group that took no part is empty
    [InlineData("x*", "-", "abc", "-a-b-c-")]
    [InlineData("a*", "-", "baaac", "-b-c-")] // no empty match right after another
    [InlineData("^", "/p", "/a", "/p/a")]
    [InlineData(@"\b", "|", "é a", "é |a|")]
    [InlineData("(?P<x>a)(b)", @"\2\1", "ab", "ba")] // named groups keep their number
    public void Apply_EveryMatch_IsReplacedAsRe2Does(string pattern, string substitution, string text, string expected)
    {
        Assert.True(RegexRewrite.TryCompile(pattern, substitution, out var rewrite, out var reason), reason);

        Assert.Equal(expected, rewrite.Apply(text));
    }

    [Fact]
    public void Apply_NoMatch_ReturnsTheSameInstance()
    {
        const string Text = "/unchanged";
        Assert.True(RegexRewrite.TryCompile("nothing", "", out var rewrite, out _));

        Assert.Same(Text, rewrite.Apply(Text));
    }

    [Theory]
    [InlineData("(a)", @"\2", "names group 2")]
    [InlineData("a", @"\x", "must be followed")]
    [InlineData("a", @"x\", "must be followed")]
    [InlineData("(?=a)", "x", "lookahead")]
    public void TryCompile_WhatCannotBe_IsRefusedWithTheReason(string pattern, string substitution, string reason)
    {
        Assert.False(RegexRewrite.TryCompile(pattern, substitution, out _, out var actual));
        Assert.Contains(reason, actual, StringComparison.Ordinal);
    }
}
