using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Authorization;

/// <summary>Policies that decide nothing: what they would have said can be seen.</summary>
[Collection(Alone.Name)]
public sealed class DryRunTests(EchoBackend backend) : IClassFixture<EchoBackend>
{
    private const string Mesh = """
        accessLogFile: ${access-log}
        accessLogFormat: "%REQ(:PATH)% %RESPONSE_CODE% %DYNAMIC_METADATA(envoy.common:access_log_hint)%
          %DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_deny_shadow_engine_result)%
          %DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_deny_shadow_effective_policy_id)%
          %DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_allow_shadow_engine_result)%\n"

        """;

    [Fact]
    public async Task DryRunAndAudit_DecideNothing_AndAreLoggedAndCounted()
    {
        await using var gateway = await InProcessGateway.StartAsync(backend.Port, new InProcessOptions { Mesh = Mesh, HasStats = true }, [
            ("deny.yaml", Policy("deny-admin", "DENY", "/admin", isDryRun: true)),
            ("allow.yaml", Policy("allow-pub", "ALLOW", "/pub", isDryRun: true)),
            ("audit.yaml", Policy("audit-admin", "AUDIT", "/admin", isDryRun: false)),
        ]);

        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/admin")).Status);
        Assert.Equal(200, (await RawHttp.GetAsync(gateway.Port, "/pub")).Status);
        var statistics = await gateway.StatisticsAsync();
        var log = await gateway.StopAndReadAccessLogAsync();

        const string DenyRule = "ns[istio-system]-policy[deny-admin]-rule[0]";
        Assert.Equal([$"/admin 200 true denied {DenyRule} denied", "/pub 200 false allowed - allowed"], log);
        Assert.Contains($"portcullis_authorization_dry_run_total{{action=\"deny\",policy=\"{DenyRule}\",result=\"denied\"", statistics.Replace("otel_scope_name=\"Portcullis.Gateway\",", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static string Policy(string name, string action, string path, bool isDryRun) => $$"""
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: {{name}}, namespace: istio-system, annotations: {istio.io/dry-run: "{{(isDryRun ? "true" : "false")}}"} }
        spec:
          action: {{action}}
          rules: [{to: [{operation: {paths: [{{path}}]} }]}]
        """;
}
