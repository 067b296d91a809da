using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Running;

/// <summary>A configuration that is refused leaves nothing behind: neither in the access log, nor in how backends are spoken to.</summary>
public sealed class RefusedConfigurationTests
{
    private const string Broken = "apiVersion: v1\nkind: Service\nmetadata: {name: broken}\nspec: {ports: 7}\n";

    [Fact]
    public async Task ARefusedConfiguration_ChangesNeitherTheAccessLogNorTheWayToBackends()
    {
        using var backend = new EchoBackend();
        await using var gateway = await InProcessGateway.StartAsync(
            backend.Port, new InProcessOptions { Mesh = "accessLogFile: ${access-log}\naccessLogFormat: \"before %RESPONSE_CODE%\\n\"\n" });
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);

        await gateway.ApplyRefusedAsync(
            ("mesh.yaml", $"accessLogFile: {gateway.AccessLogFile}\naccessLogFormat: \"refused\\n\"\n"),
            ("rule.yaml", """
                apiVersion: networking.istio.io/v1
                kind: DestinationRule
                metadata: {name: httpbin}
                spec: {host: httpbin, trafficPolicy: {tls: {mode: SIMPLE}}}
                """),
            ("broken.yaml", Broken));

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/")).Status);
        Assert.Equal(["before 200", "before 200"], await gateway.StopAndReadAccessLogAsync());
    }
}
