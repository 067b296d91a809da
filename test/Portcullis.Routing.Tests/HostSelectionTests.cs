using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class HostSelectionTests
{
    [Theory]
    [InlineData("foo.com", "a")]
    [InlineData("FOO.com:12345", "a")]
    [InlineData("x.foo.com", "b")]
    [InlineData("x.y.foo.com", "b")]
    [InlineData("x.com", "c")]
    [InlineData("foo.com.", "d")]
    [InlineData("", "d")]
    [InlineData("[::1]:80", "a")]
    [InlineData("10.0.0.1:80", "a")]
    public void Find_ExactThenLongestWildcardThenAny_Wins(string authority, string backend)
    {
        var compiled = Compiled.From(
            Compiled.Gateway, Compiled.Service("a"), Compiled.Service("b"), Compiled.Service("c"), Compiled.Service("d"),
            Compiled.VirtualService("hosts: [foo.com, \"::1\", 10.0.0.1]\nhttp: [{route: [{destination: {host: a}}]}]", "v1"),
            Compiled.VirtualService("hosts: [\"*.foo.com\"]\nhttp: [{route: [{destination: {host: b}}]}]", "v2"),
            Compiled.VirtualService("hosts: [\"*.com\"]\nhttp: [{route: [{destination: {host: c}}]}]", "v3"),
            Compiled.VirtualService("hosts: [\"*\"]\nhttp: [{route: [{destination: {host: d}}]}]", "v4"));

        Assert.Empty(compiled.Problems);
        Assert.Equal(backend, compiled.Backend(new("/", authority)));
    }

    [Fact]
    public void Find_ShortHost_IsTheServiceOfTheNamespace()
    {
        var compiled = Compiled.From(
            Compiled.Gateway, Compiled.Service("a"), Compiled.VirtualService("hosts: [reviews]\nhttp: [{route: [{destination: {host: a}}]}]"));

        Assert.Equal("404", compiled.Backend(new("/", "reviews")));
        Assert.Equal("a", compiled.Backend(new("/", "reviews.default.svc.cluster.local")));
    }

    [Fact]
    public void Compile_BasicIngress_ForwardsToTheEndpointOfTheService()
    {
        var compiled = Compiled.From(
            Compiled.Gateway, Compiled.Service("a"), Compiled.VirtualService("hosts: [foo.com]\nhttp: [{match: [{uri: {prefix: /api}}], route: [{destination: {host: a}}]}]"));

        Assert.Equal((8080, ListenerProtocol.Http), (compiled.Listener.Port, compiled.Listener.Protocol));
        Assert.Null(compiled.Route(new("/other")));
        var destination = Assert.Single(compiled.Route(new("/apiary?x=1"))!.Forward!.Destinations);
        Assert.Equal("outbound|80||a.default.svc.cluster.local", destination.ClusterName);
        var endpoint = Assert.Single(destination.Cluster!.Endpoints);
        Assert.Equal(("10.0.0.1", 8000), (endpoint.Address, endpoint.Port));
    }
}
