using System.Globalization;
using System.Text.Json;
using Portcullis.Gateway.Pipeline;
using Portcullis.Matching;
using Portcullis.Policy.Explanation;

namespace Portcullis.Gateway.Telemetry.AccessLogs;

/// <summary>One command of Envoy's access log language, with its argument.</summary>
/// <param name="Name">Command in upper case.</param>
/// <param name="IsNumber">Written without quotes in JSON.</param>
/// <param name="Evaluate">The value, <see langword="null"/> when there is none.</param>
internal sealed record AccessLogOperator(string Name, bool IsNumber, Func<GatewayContext, string?> Evaluate)
{
    private const string Known =
        "START_TIME, PROTOCOL, RESPONSE_CODE, RESPONSE_FLAGS, RESPONSE_CODE_DETAILS, BYTES_RECEIVED, BYTES_SENT, DURATION, REQ(name), RESP(name), "
        + "UPSTREAM_HOST, UPSTREAM_CLUSTER, DOWNSTREAM_LOCAL_ADDRESS, DOWNSTREAM_REMOTE_ADDRESS, ROUTE_NAME, POLICY_NAME, DECISION_ID, REQUEST_PRINCIPAL, CLAIM(name), "
        + "DYNAMIC_METADATA(namespace:key)";

    public static AccessLogOperator Parse(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var name = open < 0 ? text : text[..open];
        string? argument = null;
        if (open >= 0)
        {
            if (!text.EndsWith(')'))
            {
                throw new FormatException($"`%{text}%` in the access log format has no closing parenthesis");
            }

            argument = text[(open + 1)..^1];
        }

        return Create(name, argument) ?? throw new FormatException($"`%{text}%` is not an access log operator of this gateway; known are {Known}");
    }

    private static AccessLogOperator? Create(string name, string? argument) => (name, argument) switch
    {
        ("START_TIME", _) => new(name, false, c => c.StartTime.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)),
        ("PROTOCOL", _) => new(name, false, c => c.Http.Request.Protocol),
        ("RESPONSE_CODE", _) => new(name, true, c => Number(c.ClientAborted ? 0 : c.Http.Response.StatusCode)),
        ("RESPONSE_FLAGS", _) => new(name, false, c => c.ResponseFlags),
        ("RESPONSE_CODE_DETAILS", _) => new(name, false, c => c.ResponseDetails),
        ("UPSTREAM_TRANSPORT_FAILURE_REASON", _) => new(name, false, c => c.UpstreamFailureReason),
        ("BYTES_RECEIVED", _) => new(name, true, c => Number(c.BytesReceived)),
        ("BYTES_SENT", _) => new(name, true, c => Number(c.BytesSent)),
        ("DURATION", _) => new(name, true, c => Number((long)c.Elapsed.TotalMilliseconds)),
        ("UPSTREAM_HOST", _) => new(name, false, c => c.Endpoint?.Address),
        ("UPSTREAM_CLUSTER", _) => new(name, false, c => c.Cluster?.Name),
        ("DOWNSTREAM_LOCAL_ADDRESS", _) => new(name, false, c => Endpoint(ClientAddress.Unmap(c.Http.Connection.LocalIpAddress), c.Http.Connection.LocalPort)),
        ("DOWNSTREAM_REMOTE_ADDRESS", _) => new(name, false, c => Endpoint(c.RemoteAddress, c.RemotePort)),
        ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", _) => new(name, false, static c => c.PeerAddress?.ToString()),
        ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", _) => new(name, false, c => Endpoint(c.PeerAddress, c.PeerPort)),
        ("ROUTE_NAME", _) => new(name, false, c => c.Route?.Name),
        ("POLICY_NAME", _) => new(name, false, c => c.Decision.PolicyId),
        ("DECISION_ID", _) => new(name, false, c => c.KnownDecisionId),
        ("REQUEST_PRINCIPAL", _) => new(name, false, c => c.Identity is { } i ? $"{i.Claims.Issuer}/{i.Claims.Subject}" : null),
        ("CLAIM", { Length: > 0 }) => Claim(argument),
        ("DYNAMIC_METADATA", { Length: > 0 }) => new(name, false, DynamicMetadata.Find(argument) ?? (static _ => null)),
        ("REQ", { Length: > 0 }) => new(name, false, RequestHeader(argument)),
        ("RESP", { Length: > 0 }) => new(name, string.Equals(argument, "x-envoy-upstream-service-time", StringComparison.OrdinalIgnoreCase), ResponseHeader(argument)),
        // Known to Envoy, without a value on this gateway.
        ("CONNECTION_TERMINATION_DETAILS" or "UPSTREAM_LOCAL_ADDRESS" or "REQUESTED_SERVER_NAME", _) => new(name, false, static _ => null),
        _ => null,
    };

    private static AccessLogOperator Claim(string name)
    {
        var path = name.StartsWith('[') && ClaimPath.TryParseBracketed(name, out var bracketed) ? bracketed : ClaimPath.ParseDotted(name);
        return new("CLAIM", false, c => c.Identity?.Claims is { } claims && path.TryGet(claims, out var value, out _)
            ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()
            : null);
    }

    private static Func<GatewayContext, string?> RequestHeader(string argument)
    {
        var names = argument.Split('?', 2);
        return c => names.Select(n => RequestHeaderValue(c, n)).FirstOrDefault(v => v is not null);
    }

    private static string? RequestHeaderValue(GatewayContext context, string name)
    {
        switch (name.ToUpperInvariant())
        {
            case ":METHOD":
                return context.Http.Request.Method;
            case ":PATH" or "X-ENVOY-ORIGINAL-PATH":
                return SecretRedaction.Target(context.RawTarget);
            case ":AUTHORITY" or "HOST":
                return context.Authority;
            case ":SCHEME":
                return context.Scheme;
            case "X-FORWARDED-FOR":
                return context.ForwardedFor;
            case "X-REQUEST-ID":
                return context.RequestId;
        }

        var values = context.Http.Request.Headers[name];
        return values.Count == 0 ? null : SecretRedaction.HeaderValue(name, values.ToString());
    }

    private static Func<GatewayContext, string?> ResponseHeader(string name) => c =>
    {
        var values = c.Http.Response.Headers[name];
        return values.Count == 0 ? null : SecretRedaction.HeaderValue(name, values.ToString());
    };

    private static string? Endpoint(System.Net.IPAddress? address, int port) => address is null ? null : new System.Net.IPEndPoint(address, port).ToString();

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
