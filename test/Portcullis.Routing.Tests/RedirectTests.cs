using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class RedirectTests
{
    [Theory]
    [InlineData("{authority: b}", "foo.com", "/foo", "http://b/foo")]
    [InlineData("{redirectCode: 302}", "b:80", "/foo", "http://b:80/foo")]
    [InlineData("{scheme: https}", "b:80", "/foo", "https://b/foo")]
    [InlineData("{scheme: https}", "b:8080", "/foo", "https://b:8080/foo")]
    [InlineData("{scheme: https}", "[::1]:80", "/foo", "https://[::1]/foo")]
    [InlineData("{scheme: https, derivePort: FROM_REQUEST_PORT}", "b", "/foo", "https://b:80/foo")]
    [InlineData("{derivePort: FROM_REQUEST_PORT}", "b:80", "/foo", "http://b:80/foo")]
    [InlineData("{scheme: https, port: 443}", "b:8443", "/foo", "https://b:8443/foo")]
    [InlineData("{scheme: https, port: 8443}", "b:80", "/foo", "https://b:8443/foo")]
    [InlineData("{authority: \"c:90\", port: 85}", "b", "/foo", "http://c:90:85/foo")]
    [InlineData("{uri: /new}", "b", "/foo?a=1", "http://b/new?a=1")]
    [InlineData("{uri: \"/new?b=2\"}", "b", "/foo?a=1", "http://b/new?b=2")]
    [InlineData("{uri: /new}", "b", "/foo?", "http://b/new?")]
    public void Location_OfTheWholePath_IsAsEnvoyBuildsIt(string redirect, string host, string target, string expected) =>
        Assert.Equal(expected, Location($"{{redirect: {redirect}}}", new(target, host)));

    [Fact]
    public void Location_PrefixRewrite_ReplacesTheMatchedPrefix() =>
        Assert.Equal("http://b/v2/x?q", Location("{match: [{uri: {prefix: /v1}}], redirect: {prefixRewrite: /v2}}", new("/v1/x?q", "b")));

    [Theory]
    [InlineData(304)]
    [InlineData(305)]
    public void Compile_RedirectCodeThatIsNone_LeavesTheRuleOut(int code)
    {
        var read = ResourceReader.Read("t.yaml", Compiled.VirtualService("hosts: [\"*\"]\nhttp: [{redirect: {uri: /x}}]"));
        var service = Assert.IsType<VirtualService>(Assert.Single(read.Resources));
        service = service with { Http = [service.Http[0] with { Redirect = new() { RedirectCode = code } }] };

        var compiled = Compiled.From([.. ResourceReader.Read("gw.yaml", Compiled.Gateway).Resources, service]);

        Assert.Null(compiled.Route(new("/")));
        Assert.Equal("spec.http[0].redirect.redirectCode", Assert.Single(compiled.Problems).FieldPath);
    }

    private static string Location(string rule, TestRequest request)
    {
        var route = Compiled.From(Compiled.Gateway, Compiled.VirtualService($"hosts: [\"*\"]\nhttp: [{rule}]")).Route(request)!;
        return route.Redirect!.Location(route.Path, request.Scheme, request.Authority, request.Path, request.Query);
    }
}
