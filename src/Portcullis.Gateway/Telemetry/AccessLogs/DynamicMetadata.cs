using Portcullis.Gateway.Pipeline;
using Portcullis.Policy.Authorization;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>
/// <c>%DYNAMIC_METADATA(namespace:key)%</c>: what Envoy's filters say about a request under these names (authorization.md §3, §8).
/// </summary>
internal static class DynamicMetadata
{
    /// <summary>What is said under a name.</summary>
    /// <returns><see langword="null"/> for a name that nothing is said under: its value is <c>-</c>.</returns>
    public static Func<GatewayContext, string?>? Find(string argument) => argument switch
    {
        "envoy.common:access_log_hint" => static c => c.Decision.AuditHint switch { true => "true", false => "false", _ => null },
        "envoy.filters.http.rbac:istio_dry_run_allow_shadow_engine_result" => static c => Result(c.Decision.AllowShadow),
        "envoy.filters.http.rbac:istio_dry_run_allow_shadow_effective_policy_id" => static c => c.Decision.AllowShadow?.PolicyId,
        "envoy.filters.http.rbac:istio_dry_run_deny_shadow_engine_result" => static c => Result(c.Decision.DenyShadow),
        "envoy.filters.http.rbac:istio_dry_run_deny_shadow_effective_policy_id" => static c => c.Decision.DenyShadow?.PolicyId,
        _ => null,
    };

    private static string? Result(ShadowResult? shadow) => shadow switch { { IsAllowed: true } => "allowed", { IsAllowed: false } => "denied", _ => null };
}
