using Portcullis.Resources;
using Portcullis.Routing.Tests.Support;

namespace Portcullis.Routing.Tests;

public sealed class VirtualServiceTests
{
    [Theory]
    [InlineData("istio-system/gw", "default", true)]
    [InlineData("gw", "istio-system", true)]
    [InlineData("./gw", "istio-system", true)]
    [InlineData("gw.istio-system.svc.cluster.local", "default", true)]
    [InlineData("mesh", "default", false)]
    public void Bind_EveryWayToNameAGateway_IsUnderstood(string gateway, string ns, bool bound)
    {
        var compiled = Compiled.From(
            Compiled.Gateway,
            Compiled.VirtualService($"gateways: [{gateway}]\nhosts: [foo.com]\nhttp: [{{directResponse: {{status: 200}}}}]", ns: ns, replaceGateways: true));

        Assert.Empty(compiled.Problems);
        Assert.Equal(bound, compiled.Route(new("/")) is not null);
    }

    [Fact]
    public void Bind_GatewayThatDoesNotExist_IsReported()
    {
        var compiled = Compiled.From(
            Compiled.Gateway, Compiled.VirtualService("gateways: [gw]\nhosts: [foo.com]\nhttp: [{directResponse: {status: 200}}]", replaceGateways: true));

        var problem = Assert.Single(compiled.Problems);
        Assert.Equal((ProblemCodes.DanglingReference, "spec.gateways[0]"), (problem.Code, problem.FieldPath));
    }

    [Fact]
    public void Merge_PrivateThenNamedThenPublic_IsTheOrder()
    {
        var compiled = Compiled.From(
            Compiled.Gateway,
            Rule("public", "default", ""),
            Rule("named", "default", "exportTo: [istio-system]\n"),
            Rule("private", "istio-system", "exportTo: [\".\"]\n"),
            Rule("hidden", "default", "exportTo: [other]\n"));

        Assert.Equal(["private", "named", "public"], Assert.Single(compiled.Listener.Hosts.All).Routes.Select(r => r.Name));

        static string Rule(string name, string ns, string export) =>
            Compiled.VirtualService($"{export}hosts: [foo.com]\nhttp: [{{name: {name}, match: [{{uri: {{prefix: /x}}}}], directResponse: {{status: 200}}}}]", name, ns);
    }

    [Fact]
    public void Compile_RulesBehindACatchAll_AreDropped()
    {
        var compiled = Compiled.From(Compiled.Gateway, Compiled.VirtualService("""
            hosts: [foo.com]
            http:
            - {name: r, match: [{name: one, uri: {prefix: /a}}, {name: two, uri: {prefix: /}}, {uri: {exact: /never}}], directResponse: {status: 200}}
            - {name: never, directResponse: {status: 200}}
            """));

        Assert.Equal(["r.one", "r.two"], Assert.Single(compiled.Listener.Hosts.All).Routes.Select(r => r.Name));
    }

    [Fact]
    public void Merge_CatchAllsOfSeveral_MoveBehindEverythingAndTheOldestServes()
    {
        var compiled = Compiled.From(
            Compiled.Gateway,
            Compiled.VirtualService("hosts: [foo.com]\nhttp: [{name: a1, match: [{uri: {prefix: /a}}], directResponse: {status: 200}}, {name: a2, directResponse: {status: 200}}]", "v1"),
            Compiled.VirtualService("hosts: [foo.com]\nhttp: [{name: b1, match: [{headers: {x: {}}}], directResponse: {status: 200}}, {name: b2, match: [{uri: {regex: \".*\"}}], directResponse: {status: 200}}]", "v2"));

        Assert.Equal(["a1", "b1", "a2", "b2"], Assert.Single(compiled.Listener.Hosts.All).Routes.Select(r => r.Name));
    }

    [Fact]
    public void Compile_NoRuleForThisPort_YieldsNoHost()
    {
        var compiled = Compiled.From(Compiled.Gateway, Compiled.VirtualService("hosts: [foo.com]\nhttp: [{match: [{port: 81}], directResponse: {status: 200}}]"));

        Assert.Empty(compiled.Listener.Hosts.All);
    }

    [Theory]
    [InlineData("{}", "{uri: {prefix: /p/x}}", "/p/x/y", true)]
    [InlineData("{match: [{uri: {prefix: /p}}]}", "{uri: {prefix: /}}", "/p/y", false)]
    [InlineData("{match: [{uri: {exact: /p}}]}", "{uri: {prefix: /p}}", "/p", false)]
    [InlineData("{match: [{uri: {exact: /p}}]}", "{uri: {exact: /p}}", "/p", true)]
    [InlineData("{match: [{uri: {regex: \"/p.*\"}}]}", "{uri: {exact: /p}}", "/p", false)]
    [InlineData("{match: [{uri: {prefix: /p}}]}", "{uri: {regex: \"/p.*\"}}", "/p", false)]
    [InlineData("{match: [{uri: {prefix: /p}}]}", "{uri: {}}", "/p", false)]
    [InlineData("{match: [{uri: {prefix: /p}}]}", "{method: {exact: GET}}", "/p/1", true)]
    [InlineData("{match: [{uri: {prefix: /p}}]}", "{method: {exact: GET}}", "/q", false)]
    [InlineData("{match: [{uri: {prefix: /p}}, {headers: {x: {exact: \"1\"}}}]}", "{headers: {x: {exact: \"2\"}}}", "/p/1", false)]
    [InlineData("{match: [{port: 80}]}", "{port: 81}", "/p", false)]
    [InlineData("{match: [{uri: {prefix: /p}, ignoreUriCase: true}]}", "{uri: {prefix: /p}}", "/p", false)]
    public void Delegate_BlocksThatFit_AreMergedAndNeverWiderThanTheRoot(string root, string leaf, string path, bool served)
    {
        var rule = root == "{}" ? "{delegate: {name: d, namespace: prod}}" : root[..^1] + ", delegate: {name: d, namespace: prod}}";

        var compiled = Compiled.From(
            Compiled.Gateway, Compiled.VirtualService($"hosts: [foo.com]\nhttp: [{rule}]", "root"),
            Delegate($"http: [{{match: [{leaf}], directResponse: {{status: 200}}}}]"));

        Assert.Equal(served, compiled.Route(new(path)) is not null);
    }

    [Fact]
    public void Delegate_FieldsNotSet_ComeFromTheRoot()
    {
        var compiled = Compiled.From(
            Compiled.Gateway, Compiled.Service("s", "prod"),
            Compiled.VirtualService("hosts: [foo.com]\nhttp: [{name: r, timeout: 5s, retries: {attempts: 0}, delegate: {name: d, namespace: prod}}]", "root"),
            Delegate("http: [{name: x, timeout: 1s, route: [{destination: {host: s}}]}]"));

        var route = compiled.Route(new("/"))!;
        Assert.Equal(("r-x", 1.0, 0), (route.Name, route.Forward!.Timeout!.Value.TotalSeconds, route.Forward.Retry.Attempts));
        Assert.Equal("s.prod.svc.cluster.local", route.Forward.Destinations[0].Cluster!.Host);
        Assert.Equal(new ResourceId("VirtualService", "prod", "d"), route.VirtualService);
    }

    [Fact]
    public void Delegate_Invisible_DropsOnlyThatRule()
    {
        var compiled = Compiled.From(Compiled.Gateway, Root, Delegate("exportTo: [\".\"]\nhttp: [{directResponse: {status: 200}}]"));

        Assert.Equal(ProblemCodes.DanglingReference, Assert.Single(compiled.Problems).Code);
        Assert.Equal(201, compiled.Route(new("/d"))!.DirectResponse!.Status);
    }

    [Fact]
    public void Delegate_ThatDelegates_DropsOnlyThatRule()
    {
        var read = ResourceReader.Read("t.yaml", string.Join("\n---\n", Compiled.Gateway, Root, Delegate("http: [{directResponse: {status: 200}}]"))).Resources;
        var nested = (VirtualService)read[2] with { Http = [new() { Delegate = new("other", null) }] };

        var compiled = Compiled.From([read[0], read[1], nested]);

        Assert.Equal("spec.http[0].delegate", Assert.Single(compiled.Problems).FieldPath);
        Assert.Equal(201, compiled.Route(new("/d"))!.DirectResponse!.Status);
    }

    private static string Root => Compiled.VirtualService(
        "hosts: [foo.com]\nhttp: [{match: [{uri: {prefix: /d}}], delegate: {name: d, namespace: prod}}, {directResponse: {status: 201}}]", "root");

    private static string Delegate(string spec) => Compiled.VirtualService(spec, "d", "prod", replaceGateways: true);
}
