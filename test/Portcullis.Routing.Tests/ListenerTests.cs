using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class ListenerTests
{
    [Fact]
    public void Compile_TwoDeclaredPortsOnOneBoundPort_ShareOneRouteTable()
    {
        var compiled = Compiled.From(
            Gateway("gw", "{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.com]}", "{port: {number: 8080, name: b, protocol: HTTP2}, hosts: [b.com]}"),
            Compiled.VirtualService("hosts: [a.com, b.com]\nhttp: [{match: [{port: 8080}], name: high, directResponse: {status: 200}}, {name: any, directResponse: {status: 200}}]"));

        Assert.Equal((8080, 2), (compiled.Listener.Port, compiled.Listener.Servers.Length));
        Assert.Equal("any", compiled.Route(new("/", "a.com"))!.Name);
        Assert.Equal("high", compiled.Route(new("/", "b.com"))!.Name);
    }

    [Theory]
    [InlineData("{istio: ingressgateway}", 1)]
    [InlineData("{}", 1)]
    [InlineData("{istio: egressgateway}", 0)]
    [InlineData("{istio: ingressgateway, app: x}", 0)]
    public void Compile_SelectorOfAnyNamespace_DecidesWhetherAGatewayApplies(string selector, int listeners) => Assert.Equal(
        listeners,
        Compiled.From(Gateway("gw", "{port: {number: 80, name: a, protocol: HTTP}, hosts: [\"*\"]}")
            .Replace("{istio: ingressgateway}", selector, StringComparison.Ordinal).Replace("istio-system", "elsewhere", StringComparison.Ordinal)).Snapshot.Listeners.Length);

    [Fact]
    public void Compile_ServiceInFrontOfTheGateway_TranslatesThePort()
    {
        const string Service = """
            apiVersion: v1
            kind: Service
            metadata: {name: ingress, namespace: istio-system}
            spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 18080}, {name: x, port: 81}, {name: w, port: 8088}]}
            """;
        var gateway = Gateway(
            "gw", "{port: {number: 80, name: a, protocol: HTTP}, hosts: [\"*\"]}", "{port: {number: 81, name: b, protocol: HTTP}, hosts: [\"*\"]}",
            "{port: {number: 8088, name: c, protocol: HTTP}, hosts: [\"*\"]}");
        Assert.True(PortMap.TryParse(["81=9081"], out var map, out _));

        Assert.Equal([18080, 9081, 8088], Compiled.From(map, new(), gateway, Service).Snapshot.Listeners.Select(l => l.Port));
    }

    [Theory]
    [InlineData("TCP", "")]
    [InlineData("HTTPS", ", tls: {mode: SIMPLE, credentialName: c}")]
    public void Compile_AnotherProtocolOnThePort_TheYoungerServerIsLeftOut(string protocol, string tls)
    {
        var compiled = Compiled.From(
            Gateway("old", "{port: {number: 80, name: a, protocol: HTTP}, hosts: [\"*\"]}"),
            Gateway("new", $"{{port: {{number: 80, name: b, protocol: {protocol}}}, hosts: [\"*\"]{tls}}}"));

        Assert.Equal("old", Assert.Single(compiled.Listener.Servers).Gateway.Metadata.Name);
        var problem = Assert.Single(compiled.Problems);
        Assert.Equal((ProblemCodes.Conflict, "new", "spec.servers[0]"), (problem.Code, problem.Resource!.Value.Name, problem.FieldPath));
    }

    [Fact]
    public void Compile_OtherBindAddress_IsNoConflict()
    {
        var compiled = Compiled.From(
            Gateway("old", "{port: {number: 80, name: a, protocol: HTTP}, hosts: [\"*\"]}"),
            Gateway("new", "{port: {number: 80, name: b, protocol: TCP}, bind: 127.0.0.1, hosts: [\"*\"]}"));

        Assert.Empty(compiled.Problems);
        Assert.Equal([null, "127.0.0.1"], compiled.Snapshot.Listeners.Select(l => l.Bind?.ToString()));
    }

    [Fact]
    public void Compile_TlsServerWithAHostThatIsTaken_IsLeftOutWholly()
    {
        var compiled = Compiled.From(
            Gateway("old", "{port: {number: 443, name: a, protocol: HTTPS}, hosts: [a.com, \"*.b.com\"], tls: {mode: SIMPLE, credentialName: c}}"),
            Gateway("new", "{port: {number: 443, name: b, protocol: HTTPS}, hosts: [a.com, c.com], tls: {mode: SIMPLE, credentialName: d}}"));

        Assert.Single(compiled.Listener.Servers);
        Assert.Equal("c", compiled.Listener.FindChain("X.b.com")!.Settings.CredentialName);
        Assert.Null(compiled.Listener.FindChain("c.com"));
        Assert.Null(compiled.Listener.FindChain(""));
        Assert.Single(compiled.Problems);
    }

    [Fact]
    public void Compile_PassThrough_IsRoutedByTheServerName()
    {
        var compiled = Compiled.From(
            Gateway("gw", "{port: {number: 443, name: t, protocol: TLS}, hosts: [\"*.foo.com\"], tls: {mode: PASSTHROUGH}}"),
            Compiled.Service("a"), Compiled.Service("b"),
            Compiled.VirtualService("""
                hosts: ["*.foo.com"]
                tls:
                - {match: [{sniHosts: [x.foo.com], port: 443}], route: [{destination: {host: a}}]}
                - {match: [{sniHosts: [y.foo.com, x.foo.com]}], route: [{destination: {host: b}}]}
                - {match: [{sniHosts: [z.foo.com], port: 444}], route: [{destination: {host: b}}]}
                """));

        Assert.Equal("a", Short("x.foo.com"));
        Assert.Equal("b", Short("y.foo.com"));
        Assert.Null(compiled.Listener.FindChain("z.foo.com"));

        string Short(string name) => compiled.Listener.FindChain(name)!.Tcp!.Pick(0).ClusterName.Split('|')[3][..1];
    }

    [Fact]
    public void Compile_Tcp_TakesTheFirstRuleThatApplies()
    {
        var compiled = Compiled.From(
            Gateway("gw", "{port: {number: 9000, name: t, protocol: TCP}, hosts: [\"*\"]}"), Compiled.Service("a"), Compiled.Service("b"),
            Compiled.VirtualService("""
                hosts: ["*"]
                tcp:
                - {match: [{port: 9001}], route: [{destination: {host: a, port: {number: 80}}}]}
                - {match: [{port: 9000}], route: [{destination: {host: b, port: {number: 80}}}]}
                """));

        Assert.Equal(ListenerProtocol.Tcp, compiled.Listener.Protocol);
        Assert.Equal("b.default.svc.cluster.local", compiled.Listener.Tcp!.Pick(1).Cluster!.Host);
    }

    [Fact]
    public void HttpsRedirect_OnOneOfTwoServersOfAHost_RedirectsForBoth()
    {
        var compiled = Compiled.From(
            Gateway("g1", "{port: {number: 80, name: a, protocol: HTTP}, hosts: [\"*.foo.com\"]}"),
            Gateway("g2", "{port: {number: 80, name: b, protocol: HTTP}, hosts: [\"*.foo.com\"], tls: {httpsRedirect: true}}"),
            Compiled.VirtualService("gateways: [istio-system/g1, istio-system/g2]\nhosts: [a.foo.com]\nhttp: [{directResponse: {status: 200}}]", replaceGateways: true));

        Assert.Equal(RouteAction.Redirect, compiled.Route(new("/", "a.foo.com"))!.Action);
        Assert.Equal(RouteAction.Redirect, compiled.Route(new("/", "b.foo.com"))!.Action);
        Assert.Equal(RouteAction.DirectResponse, compiled.Route(new TestRequest("/", "a.foo.com") { Scheme = "https" })!.Action);
    }

    [Theory]
    [InlineData("./foo.com", "istio-system", true)]
    [InlineData("./foo.com", "default", false)]
    [InlineData("*/foo.com", "default", true)]
    [InlineData("default/*", "default", true)]
    [InlineData("prod/*", "default", false)]
    [InlineData("~/foo.com", "default", false)]
    [InlineData("foo.com", "default", true)]
    public void Hosts_NamespacePrefix_RestrictsVirtualServices(string host, string ns, bool served)
    {
        var compiled = Compiled.From(
            Gateway("gw", $"{{port: {{number: 80, name: a, protocol: HTTP}}, hosts: [\"{host}\"]}}"),
            Compiled.VirtualService("hosts: [foo.com]\nhttp: [{directResponse: {status: 200}}]", ns: ns));

        Assert.Equal(served, compiled.Route(new("/")) is not null);
    }

    private static string Gateway(string name, params string[] servers) => $$"""
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: {{name}}, namespace: istio-system}
        spec: {selector: {istio: ingressgateway}, servers: [{{string.Join(", ", servers)}}]}
        """;
}
