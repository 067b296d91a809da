using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.Tests.Pipeline;

public sealed class RequestSanitizerTests
{
    [Theory]
    [InlineData("x-envoy-internal")]
    [InlineData("X-Envoy-Original-Path")]
    [InlineData("x-envoy-retry-on")]
    [InlineData("x-envoy-upstream-rq-timeout-ms")]
    [InlineData("X-Forwarded-Client-Cert")]
    [InlineData("X-Envoy-Auth-Partial-Body")]
    [InlineData("x-envoy-auth-headers-to-remove")]
    [InlineData("x-envoy-auth-failure-mode-allowed")]
    public void Sanitize_OfAHeaderThatOnlyTheMeshMaySet_RemovesIt(string name)
    {
        var headers = new HeaderDictionary { [name] = "forged", ["x-custom"] = "kept" };

        RequestSanitizer.Sanitize(headers);

        Assert.Equal("x-custom", Assert.Single(headers).Key);
    }

    [Theory]
    [InlineData("x-envoy-something-new")]
    [InlineData("x-environment")]
    [InlineData("authorization")]
    public void Sanitize_OfAnyOtherHeader_LeavesIt(string name)
    {
        var headers = new HeaderDictionary { [name] = "value" };

        RequestSanitizer.Sanitize(headers);

        Assert.Equal("value", headers[name]);
    }

    [Theory]
    [InlineData("x-custom", true)]
    [InlineData("X_Custom.1~", true)]
    [InlineData("@request.auth.claims.sub", false)]
    [InlineData("x(y)", false)]
    [InlineData("x\u00e9", false)]
    public void Sanitize_TellsWhetherEveryNameIsAToken(string name, bool expected) =>
        Assert.Equal(expected, RequestSanitizer.Sanitize(new HeaderDictionary { ["host"] = "a", [name] = "value" }));
}
