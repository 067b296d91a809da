using System.Buffers;
using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// Removes what a client outside must not be able to say (routing.md §6.3, CVE-2024-45806, CVE-2023-27487): every request that reaches an
/// ingress is external.
/// </summary>
internal static class RequestSanitizer
{
    private const string ClientCertificate = "x-forwarded-client-cert";

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly FrozenSet<string> InternalHeaders = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "x-envoy-internal",
        "x-envoy-decorator-operation",
        "x-envoy-downstream-service-cluster",
        "x-envoy-downstream-service-node",
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-max-retries",
        "x-envoy-retriable-status-codes",
        "x-envoy-retriable-header-names",
        "x-envoy-upstream-alt-stat-name",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-rq-timeout-alt-response",
        "x-envoy-upstream-stream-duration-ms",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-force-trace",
        "x-envoy-ip-tags",
        "x-envoy-auth-partial-body",
        "x-envoy-auth-headers-to-remove",
        "x-envoy-auth-failure-mode-allowed",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-original-path",
        "x-envoy-original-host",
        "x-envoy-external-address",
        "x-envoy-attempt-count");

    /// <summary>Whether a client outside must not be able to send a header of this name.</summary>
    public static bool Removes(string name) =>
        name.Equals(ClientCertificate, StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("x-envoy-", StringComparison.OrdinalIgnoreCase) && InternalHeaders.Contains(name));

    /// <summary>
    /// Removes them, in the one walk over the headers that also looks whether every name is a token (RFC 9110 §5.6.2). The server lets some through that are not, such as
    /// <c>@request.auth.claims.sub</c>; no backend may get them.
    /// </summary>
    /// <returns>Whether every name is one.</returns>
    public static bool Sanitize(IHeaderDictionary headers)
    {
        headers.Remove(ClientCertificate);
        List<string>? found = null;
        var areValid = true;
        foreach (var header in headers)
        {
            // The server's own pseudo-headers begin with a colon, which no client can write into a name.
            var name = header.Key.AsSpan();
            areValid &= !(name.StartsWith(':') ? name[1..] : name).ContainsAnyExcept(NameCharacters);
            if (Removes(header.Key))
            {
                (found ??= []).Add(header.Key);
            }
        }

        if (found is not null)
        {
            foreach (var name in found)
            {
                headers.Remove(name);
            }
        }

        return areValid;
    }
}
