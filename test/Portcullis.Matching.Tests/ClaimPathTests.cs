using System.Text.Json;

namespace Portcullis.Matching.Tests;

public sealed class ClaimPathTests
{
    [Theory]
    [InlineData("request.auth.claims[a]", "[a]")]
    [InlineData("request.auth.claims[a][b]", "[a][b]")]
    [InlineData("request.auth.claims[a.b][c]", "[a.b][c]")]
    [InlineData("request.auth.claims[https://e.com/roles]", "[https://e.com/roles]")]
    [InlineData("request.auth.claims[a]x[b]", "[a]x[b]")] // not a clean sequence: one literal name `a]x[b`
    [InlineData("request.auth.claims", null)]
    [InlineData("request.auth.claims[]", null)]
    [InlineData("request.auth.claims[a][]", null)]
    [InlineData("request.auth.claims[a", null)]
    [InlineData("request.auth.claims.a", null)]
    [InlineData("request.auth.claim[a]", null)]
    public void TryParsePolicyKey_Brackets_NameThePath(string key, string? expected)
    {
        Assert.Equal(expected is not null, ClaimPath.TryParsePolicyKey(key, out var path));
        Assert.Equal(expected, path?.ToString());
    }

    [Theory]
    [InlineData("@request.auth.claims.a.b", "[a][b]")]
    [InlineData("@Request.Auth.Claims[a.b][c]", "[a.b][c]")]
    [InlineData("@request.auth.claims.a..b", null)]
    [InlineData("@request.auth.claims.a.", null)]
    [InlineData("@request.auth.claims.", null)]
    [InlineData("@request.auth.claims", null)]
    [InlineData("@request.auth.claimsa", null)]
    [InlineData("x-header", null)]
    public void TryParseRouteKey_DotsOrBrackets_NameThePath(string key, string? expected)
    {
        Assert.Equal(expected is not null, ClaimPath.TryParseRouteKey(key, out var path));
        Assert.Equal(expected, path?.ToString());
    }

    [Theory]
    [InlineData("""{"a.b":"whole","a":{"b":"nested"}}""", "whole")] // an exact key wins
    [InlineData("""{"a":{"b":"nested"}}""", "nested")]
    [InlineData("""{"a":"text"}""", null)]
    public void TryGet_DottedName_PrefersTheExactKey(string claims, string? expected)
    {
        var found = ClaimPath.ParseDotted("a.b").TryGet(Claims(claims), out var value, out _);

        Assert.Equal(expected, found ? value.GetString() : null);
    }

    [Theory]
    [InlineData("""{"g":"admin"}""", "admin", true)]
    [InlineData("""{"g":["dev","admin"]}""", "admin", true)]
    [InlineData("""{"g":["dev",["admin"]]}""", "admin", false)]
    [InlineData("""{"g":5}""", "5", false)]
    [InlineData("""{"g":[5]}""", "5", false)]
    [InlineData("""{"g":true}""", "true", false)]
    [InlineData("""{"g":null}""", "null", false)]
    [InlineData("""{"g":{}}""", "*", false)]
    [InlineData("""{"g":""}""", "*", false)]
    [InlineData("""{"g":[""]}""", "*", false)]
    [InlineData("""{"g":[]}""", "*", false)]
    [InlineData("""{}""", "*", false)]
    [InlineData("""{"g":"\u0061dmin"}""", "admin", true)] // an escape is the character it stands for
    [InlineData("""{"g":"\ud800"}""", "*", false)] // no text at all
    [InlineData("""{"g":"administrator"}""", "adm*", true)]
    public void ClaimMatcher_StringOrList_MatchesAnyString(string claims, string value, bool expected) =>
        Assert.Equal(expected, new ClaimMatcher(ClaimPath.Literal("g"), StringMatcher.Policy(value)).IsMatch(Claims(claims)));

    [Theory]
    [InlineData("read write", "read", true)]
    [InlineData("read write", "re*", true)]
    [InlineData("read write", "read write", false)]
    [InlineData("  read   write ", "write", true)]
    [InlineData("  ", "  ", true)] // only spaces: stays a string
    [InlineData("", "*", false)]
    public void ClaimMatcher_SpaceDelimitedClaim_IsAList(string scope, string value, bool expected)
    {
        var claims = Claims(JsonSerializer.Serialize(new { scope }), "scope", "permission");

        Assert.Equal(expected, new ClaimMatcher(ClaimPath.Literal("scope"), StringMatcher.Policy(value)).IsMatch(claims));
    }

    [Fact]
    public void ClaimMatcher_NestedNameOfASpaceDelimitedClaim_IsNotSplit()
    {
        var claims = Claims("""{"a":{"scope":"read write"}}""", "scope");
        Assert.True(ClaimPath.TryParseBracketed("[a][scope]", out var path));

        Assert.True(new ClaimMatcher(path, StringMatcher.Policy("read write")).IsMatch(claims));
    }

    [Fact]
    public void ClaimMatcher_LongClaim_IsCompared()
    {
        var claims = Claims(JsonSerializer.Serialize(new { g = new string('x', 5000) }));

        Assert.True(new ClaimMatcher(ClaimPath.Literal("g"), StringMatcher.Policy("xx*")).IsMatch(claims));
    }

    [Fact]
    public void ClaimMatcher_NoClaims_IsFalse() =>
        Assert.False(new ClaimMatcher(ClaimPath.Literal("g"), StringMatcher.NonEmpty).IsMatch(null));

    private static ClaimSet Claims(string json, params string[] split)
    {
        using var document = JsonDocument.Parse(json);
        return new ClaimSet(document.RootElement.Clone(), split);
    }
}
