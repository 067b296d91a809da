namespace Portcullis.Resources.Tests.Reading;

/// <summary>The guide's own YAML, its line breaks restored and its fields unchanged.</summary>
public sealed class GuideTests
{
    [Fact]
    public void Read_HttpbinYaml_TakesTheServiceAndNotesTheRest()
    {
        var result = Read("httpbin.yaml");

        Assert.All(result.Problems, p => Assert.Equal((ProblemSeverity.Note, ProblemCodes.IgnoredKind), (p.Severity, p.Code)));
        Assert.Equal(2, result.Problems.Length);
        var service = Assert.Single(result.Resources.OfType<Service>());
        var port = Assert.Single(service.Ports);
        Assert.Equal(("http", 8000, "80", "TCP"), (port.Name, port.Port, port.TargetPort, port.Protocol));
        Assert.Equal("httpbin", service.Selector["app"]);
        Assert.Equal("default", service.Metadata.Namespace);
        Assert.Equal(["ServiceAccount", "Deployment"], result.Resources.OfType<IgnoredResource>().Select(r => r.Kind));
    }

    [Fact]
    public void Read_GatewayYaml_TakesBothAsWritten()
    {
        var result = Read("gateway.yaml");

        Assert.Empty(result.Problems);
        var gateway = Assert.Single(result.Resources.OfType<Gateway>());
        Assert.Equal("ingressgateway", gateway.Selector["istio"]);
        var server = Assert.Single(gateway.Servers);
        Assert.Equal(new ServerPort(80, "http", "HTTP"), server.Port);
        Assert.Equal(["*"], server.Hosts);
        var service = Assert.Single(result.Resources.OfType<VirtualService>());
        Assert.Equal(["httpbin-gateway"], service.Gateways);
        Assert.Equal(new Destination { Host = "httpbin", Port = 8000 }, Assert.Single(Assert.Single(service.Http).Route).Destination);
    }

    [Fact]
    public void Read_PoliciesYaml_TakesBothAsWritten()
    {
        var result = Read("policies.yaml");

        Assert.Empty(result.Problems);
        var authentication = Assert.Single(result.Resources.OfType<RequestAuthentication>());
        Assert.Equal("testing@asm.test.io", Assert.Single(authentication.JwtRules).Issuer);
        Assert.Equal("ingressgateway", authentication.Selection.MatchLabels!["istio"]);
        var authorization = Assert.Single(result.Resources.OfType<AuthorizationPolicy>());
        Assert.Equal(PolicyAction.Allow, authorization.Action);
        Assert.Equal(["*"], Assert.Single(authorization.Rules[0].From).RequestPrincipals);
        Assert.Equal(["/healthz", "/readyz"], Assert.Single(authorization.Rules[1].To).Paths);
    }

    [Fact]
    public void Locate_AFieldOfTheSecondDocument_FindsItsLine()
    {
        var service = Assert.Single(Read("gateway.yaml").Resources.OfType<VirtualService>());

        Assert.Equal(new SourcePosition(32, 19), service.Origin.Locate("spec.http[0].route[0].destination.port.number"));
        Assert.Equal(new SourcePosition(27, 3), service.Origin.Locate("spec.http[7].route"));
        Assert.Equal(new SourcePosition(28, 5), service.Origin.Locate("spec.http[0].rewrite.uri"));
    }

    private static ReadResult Read(string file) =>
        ResourceReader.Read(file, File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Guide", file)));
}
