using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class RewriteTests
{
    [Theory]
    [InlineData("uri: {prefix: /api/}", "uri: /", "/api/x", "/x")]
    [InlineData("uri: {prefix: /API}, ignoreUriCase: true", "uri: /v2", "/api/x", "/v2/x")]
    [InlineData("uri: {exact: /a}", "uri: /b/c", "/a", "/b/c")]
    [InlineData("method: {exact: GET}", "uri: /v2", "/a", "/v2a")]
    [InlineData("uri: {regex: \"/a.*\"}", "uriRegexRewrite: {match: a, rewrite: b}", "/aba/ca", "/bbb/cb")]
    [InlineData("uri: {prefix: /}", "uriRegexRewrite: {match: \"/(x+)\", rewrite: '/[\\1\\0]'}", "/xx/y", "/[xx/xx]/y")]
    public void Apply_TheMatchedPart_IsReplaced(string match, string rewrite, string path, string expected)
    {
        var route = Compiled.From(Compiled.Gateway, Compiled.Service("a"), Compiled.VirtualService(
            $"hosts: [foo.com]\nhttp: [{{match: [{{{match}}}], rewrite: {{{rewrite}}}, route: [{{destination: {{host: a}}}}]}}]")).Route(new(path))!;

        Assert.Equal(expected, route.Forward!.PathRewrite!.Apply(route.Path, path));
    }

    [Theory]
    [InlineData("rewrite: {authority: r}, headers: {request: {set: {Host: h}}}", "r")]
    [InlineData("headers: {request: {set: {\":authority\": h}}}", "h")]
    [InlineData("timeout: 1s", "d")]
    public void Authority_RewriteThenRouteThenDestination_Wins(string rule, string expected)
    {
        var route = Compiled.From(Compiled.Gateway, Compiled.Service("a"), Compiled.VirtualService(
            $"hosts: [foo.com]\nhttp: [{{{rule}, route: [{{destination: {{host: a}}, headers: {{request: {{set: {{host: d}}}}}}}}]}}]")).Route(new("/"))!;

        var destination = Assert.Single(route.Forward!.Destinations);
        Assert.Equal(expected, destination.Authority);
        Assert.DoesNotContain(destination.RequestHeaders.Operations, o => o.Name is "host" or ":authority");
    }
}
