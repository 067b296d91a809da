using System.Net;

namespace Portcullis.Matching.Tests;

public sealed class HeaderMatcherTests
{
    [Fact]
    public void IsAnyLineMatch_SeveralLines_TestsEachByItself()
    {
        var request = new Request { Lines = ["user", "admin"] };

        Assert.True(new HeaderMatcher("X-Role", StringMatcher.PolicyHeader("admin")).IsAnyLineMatch(in request));
        Assert.False(new HeaderMatcher("X-Role", StringMatcher.PolicyHeader("user,admin")).IsAnyLineMatch(in request));
    }

    [Fact]
    public void IsJoinedMatch_SeveralLines_TestsThemAsOne()
    {
        var request = new Request { Lines = ["user", "admin"] };

        Assert.False(new HeaderMatcher("X-Role", StringMatcher.Exact("admin")).IsJoinedMatch(in request));
        Assert.True(new HeaderMatcher("X-Role", StringMatcher.Exact("user,admin")).IsJoinedMatch(in request));
    }

    [Fact]
    public void IsMatch_AbsentHeader_IsFalseEvenForPresence()
    {
        var request = new Request();
        var matcher = new HeaderMatcher("x-role", StringMatcher.Present);

        Assert.False(matcher.IsPresent(in request));
        Assert.False(matcher.IsAnyLineMatch(in request));
        Assert.False(matcher.IsJoinedMatch(in request));
    }

    [Fact]
    public void IsMatch_EmptyLine_IsPresent()
    {
        var request = new Request { Lines = [""] };

        Assert.True(new HeaderMatcher("x-role", StringMatcher.Present).IsAnyLineMatch(in request));
    }

    [Theory]
    [InlineData(":path", "/p?q=1", true)] // the whole target
    [InlineData(":path", "/p", false)]
    [InlineData(":method", "GET", true)]
    [InlineData(":authority", "Shop.example:80", true)]
    [InlineData(":authority", "shop.example:80", false)]
    [InlineData(":Scheme", "https", true)]
    [InlineData(":unknown", "x", false)]
    public void IsMatch_PseudoHeader_ComesFromTheRequestLine(string name, string value, bool expected)
    {
        var request = new Request();
        var matcher = new HeaderMatcher(name, StringMatcher.PolicyHeader(value));

        Assert.Equal(expected, matcher.IsAnyLineMatch(in request));
        Assert.Equal(expected, matcher.IsJoinedMatch(in request));
    }

    [Fact]
    public void IsAnyLineMatch_AnotherReadingOfThePath_IsUsed()
    {
        var request = new Request();

        Assert.True(new HeaderMatcher(":path", StringMatcher.Exact("/other?q=1")).IsAnyLineMatch(in request, "/other"));
    }

    private readonly struct Request() : IRequestAttributes
    {
        public string[] Lines { get; init; } = [];

        public string Method => "GET";

        public string Scheme => "https";

        public string Authority => "Shop.example:80";

        public string Path => "/p";

        public string? Query => "q=1";

        public IPAddress? PeerAddress => null;

        public IPAddress? RemoteAddress => null;

        public IPAddress? LocalAddress => null;

        public int LocalPort => 8080;

        public PeerCertificate? PeerCertificate => null;

        public string? ServerName => null;

        public ClaimSet? Claims => null;

        public HeaderValues GetHeader(string name) =>
            name.Equals("x-role", StringComparison.OrdinalIgnoreCase) ? new HeaderValues(Lines) : default;
    }
}
