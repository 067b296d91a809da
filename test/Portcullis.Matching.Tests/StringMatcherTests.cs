namespace Portcullis.Matching.Tests;

public sealed class StringMatcherTests
{
    [Theory]
    [InlineData("*", "x", true)]
    [InlineData("*", "", false)]
    [InlineData("*x", "ax", true)]
    [InlineData("*x", "x", true)]
    [InlineData("*x", "xa", false)]
    [InlineData("x*", "xa", true)]
    [InlineData("x*", "ax", false)]
    [InlineData("*x*", "ax*", true)] // the end `x*`, not "contains x"
    [InlineData("*x*", "axb", false)]
    [InlineData("a*b", "a*b", true)]
    [InlineData("a*b", "axb", false)]
    [InlineData("**", "a*", true)]
    [InlineData("**", "a", false)]
    [InlineData("abc", "abc", true)]
    [InlineData("abc", "ABC", false)]
    [InlineData("", "", true)]
    [InlineData("", "x", false)]
    public void Policy_EveryForm_MatchesAsIstioDoes(string pattern, string text, bool expected) =>
        Assert.Equal(expected, StringMatcher.Policy(pattern).IsMatch(text));

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "x", true)]
    [InlineData("GET", "get", false)]
    [InlineData("G*", "GET", true)]
    public void PolicyHeader_Star_IsPresence(string pattern, string text, bool expected) =>
        Assert.Equal(expected, StringMatcher.PolicyHeader(pattern).IsMatch(text));

    [Theory]
    [InlineData("shop.example.com", "SHOP.Example.com", true)]
    [InlineData("Shop.example.com", "shop.example.com", true)]
    [InlineData("*.EXAMPLE.com", "a.example.COM", true)]
    [InlineData("shop.example.com:*", "SHOP.example.com:8443", true)]
    [InlineData("shop.example.com", "shop.example.com:8443", false)]
    [InlineData("shop.example.com", "shop.example.com.", false)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("b[", "b{", false)] // differ by the case bit, but are no letters
    [InlineData("\u212A.example", "k.example", false)] // KELVIN SIGN
    [InlineData("*", "", true)]
    public void PolicyHost_LettersOfEitherCase_AreEqualInAsciiOnly(string pattern, string text, bool expected) =>
        Assert.Equal(expected, StringMatcher.PolicyHost(pattern).IsMatch(text));

    [Fact]
    public void AnyMatch_OneOfSeveral_IsEnough()
    {
        StringMatcher[] matchers = [StringMatcher.Exact("a"), StringMatcher.Prefix("b")];

        Assert.True(StringMatcher.AnyMatch(matchers, "bc"));
        Assert.False(StringMatcher.AnyMatch(matchers, "c"));
        Assert.False(StringMatcher.AnyMatch([], "c"));
    }

    [Fact]
    public void IsMatch_OfARegex_HoldsItAgainstTheWholeText()
    {
        Assert.True(SafeRegex.TryCompile("a|b+", out var regex, out _));

        Assert.True(StringMatcher.Regex(regex).IsMatch("bb"));
        Assert.False(StringMatcher.Regex(regex).IsMatch("bba"));
    }
}
