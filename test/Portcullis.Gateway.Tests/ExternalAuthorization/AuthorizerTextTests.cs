using System.Text;
using Portcullis.Gateway.ExternalAuthorization;

namespace Portcullis.Gateway.Tests.ExternalAuthorization;

/// <summary>Names and values between the gateway and an authorizer.</summary>
public sealed class AuthorizerTextTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("\u00c3\u00b6", "ö")]
    [InlineData("\u00e2\u0082\u00ac \u00f0\u009f\u0094\u0091", "€ 🔑")]
    [InlineData("\u00ff", "!")]
    [InlineData("a\u00c3", "a!")]
    [InlineData("\u00c3(\u00e2\u0082x\u00ed\u00a0\u0080", "!(!!x!!!")] // cut short, and half of a pair
    public void Decode_ReplacesEachByteThatIsNotUtf8(string bytes, string text) => Assert.Equal(text, Utf8Text.Decode(Encoding.Latin1.GetBytes(bytes)));

    [Fact]
    public void Sanitize_ReplacesLonelyHalves()
    {
        // Attributes cannot hold them: they are stored as UTF-8.
        Assert.Equal("a", Utf8Text.Sanitize("a"));
        Assert.Equal("ö🔑", Utf8Text.Sanitize("ö🔑"));
        Assert.Equal("!", Utf8Text.Sanitize("\ud83d"));
        Assert.Equal("a!🔑!", Utf8Text.Sanitize("a\udd11\ud83d\udd11\ud83d"));
    }

    [Theory]
    [InlineData("X-Auth-User", true)]
    [InlineData("x-auth-", true)]
    [InlineData("x-aut", false)]
    [InlineData("My-Tail", true)]
    [InlineData("exact", true)]
    [InlineData("EXACT", true)]
    [InlineData("exact2", false)]
    [InlineData("always", true)]
    public void Names_AreExactOrHaveAStarAtOneEndAndNoCase(string name, bool expected) =>
        Assert.Equal(expected, new HeaderNameList(["x-auth-*", "*-tail", "Exact"], "always").Contains(name));

    [Theory]
    [InlineData(":path")]
    [InlineData("Host")]
    [InlineData("content-length")]
    [InlineData("Transfer-Encoding")]
    [InlineData("connection")]
    [InlineData("x-envoy-auth-partial-body")]
    [InlineData("")]
    public void FramingAndPseudoHeaders_AreProtected(string name)
    {
        Assert.True(AuthorizerHeaders.IsProtected(name));
        Assert.True(AuthorizerHeaders.IsProtectedInResponse(name));
    }

    [Theory]
    [InlineData("x-a", "value\twith ö", true)]
    [InlineData("x-a", "", true)]
    [InlineData("x a", "value", false)]
    [InlineData("", "value", false)]
    [InlineData("x-a", "a\nb", false)]
    [InlineData("x-a", "a\rb", false)]
    [InlineData("x-a", "a\0b", false)]
    [InlineData("x-a", "a\u007fb", false)]
    public void Header_IsValidWithoutControlsAndWithATokenForAName(string name, string value, bool expected) => Assert.Equal(expected, AuthorizerHeaders.IsValid(name, value));

    [Theory]
    [InlineData(null, false, false)]
    [InlineData("", false, false)]
    [InlineData("true", true, false)]
    [InlineData("1", true, false)]
    [InlineData("False", false, false)]
    [InlineData("yes", false, true)]
    public void Switch_IsAGoBoolean(string? text, bool expected, bool isWrong)
    {
        Assert.Equal(expected, CustomProviders.AllowsSeveral(name => name == "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS" ? text : null, out var problem));
        Assert.Equal(isWrong, problem is not null);
    }
}
