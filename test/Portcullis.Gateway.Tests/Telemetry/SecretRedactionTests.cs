using Portcullis.Policy.Explanation;
using Portcullis.TestSupport;

namespace Portcullis.Gateway.Tests.Telemetry;

public sealed class SecretRedactionTests
{
    private static readonly string Token = new TokenIssuer().Mint();

    [Fact]
    public void Target_WithATokenInAnyParameter_HoldsNoPieceOfIt()
    {
        var text = SecretRedaction.Target($"/p?a=1&token={Token}&z=2");

        Assert.Equal("/p?a=1&token=<redacted>&z=2", text);
    }

    [Theory]
    [InlineData("/magic/{0}/x", "/magic/<redacted>/x")]
    [InlineData("/p?auth=Bearer%20{0}&a", "/p?auth=Bearer%20<redacted>&a")]
    [InlineData("/p?t=%22{0}%22", "/p?t=%22<redacted>%22")]
    [InlineData("/p?a={0}&b={0}", "/p?a=<redacted>&b=<redacted>")]
    public void Target_WithATokenAnywhere_HoldsNoPieceOfIt(string target, string expected) =>
        Assert.Equal(expected, SecretRedaction.Target(target.Replace("{0}", Token, StringComparison.Ordinal)));

    [Theory]
    [InlineData("/p?access_token=opaque&z=2", "/p?access_token=<redacted>&z=2")]
    [InlineData("/p?access_token=", "/p?access_token=<redacted>")]
    [InlineData("/eyes?page=early.start", "/eyes?page=early.start")]
    [InlineData("/p?a=1", "/p?a=1")]
    public void Target_OfOtherForms_LosesCredentialsOnly(string target, string expected) => Assert.Equal(expected, SecretRedaction.Target(target));

    [Theory]
    [InlineData("Authorization")]
    [InlineData("cookie")]
    [InlineData("Set-Cookie")]
    [InlineData("Proxy-Authorization")]
    public void HeaderValue_OfACredential_IsNeverWritten(string name) => Assert.Equal("<redacted>", SecretRedaction.HeaderValue(name, "anything"));

    [Fact]
    public void HeaderValue_WithAToken_HoldsNoPieceOfIt() => Assert.Equal("Token <redacted>", SecretRedaction.HeaderValue("x-auth", "Token " + Token));

    [Fact]
    public void MayCarryToken_SeesTokensUnderAnyName()
    {
        Assert.True(SecretRedaction.MayCarryToken($"t={Token}"));
        Assert.True(SecretRedaction.MayCarryToken("access_token=x"));
        Assert.False(SecretRedaction.MayCarryToken("id=7&version=1.2.3"));
    }
}
