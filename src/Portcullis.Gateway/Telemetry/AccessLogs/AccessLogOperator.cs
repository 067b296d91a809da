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
        "START_TIME(format), PROTOCOL, RESPONSE_CODE, RESPONSE_FLAGS, RESPONSE_CODE_DETAILS, CONNECTION_TERMINATION_DETAILS, BYTES_RECEIVED, BYTES_SENT, "
        + "DURATION, REQ(name?other), REQ_WITHOUT_QUERY(name?other), RESP(name?other), TRAILER(name), GRPC_STATUS(format), GRPC_STATUS_NUMBER, UPSTREAM_HOST, "
        + "UPSTREAM_CLUSTER, UPSTREAM_LOCAL_ADDRESS, UPSTREAM_REQUEST_ATTEMPT_COUNT, UPSTREAM_TRANSPORT_FAILURE_REASON, DOWNSTREAM_LOCAL_ADDRESS, "
        + "DOWNSTREAM_LOCAL_PORT, DOWNSTREAM_REMOTE_ADDRESS, DOWNSTREAM_REMOTE_PORT and their _WITHOUT_PORT and DIRECT forms, DOWNSTREAM_TLS_VERSION, "
        + "DOWNSTREAM_TLS_CIPHER, DOWNSTREAM_PEER_SUBJECT, DOWNSTREAM_PEER_ISSUER, DOWNSTREAM_PEER_SERIAL, DOWNSTREAM_PEER_FINGERPRINT_256, "
        + "DOWNSTREAM_PEER_URI_SAN, REQUESTED_SERVER_NAME, ROUTE_NAME, HOSTNAME, ENVIRONMENT(name), TRACE_ID, POLICY_NAME, DECISION_ID, JWT_STATUS, "
        + "REQUEST_PRINCIPAL, CLAIM(name), DYNAMIC_METADATA(namespace:key)";

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
        ("START_TIME", { Length: > 0 }) => Time(argument),
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
        ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", _) => new(name, false, static c => c.RemoteAddress?.ToString()),
        ("DOWNSTREAM_REMOTE_PORT", _) => new(name, true, static c => Number(c.RemotePort)),
        ("DOWNSTREAM_DIRECT_REMOTE_PORT", _) => new(name, true, static c => Number(c.PeerPort)),
        ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", _) => new(name, false, static c => ClientAddress.Unmap(c.Http.Connection.LocalIpAddress)?.ToString()),
        ("DOWNSTREAM_LOCAL_PORT", _) => new(name, true, static c => Number(c.Http.Connection.LocalPort)),
        ("UPSTREAM_REQUEST_ATTEMPT_COUNT", _) => new(name, true, static c => Number(c.Endpoint is null ? 0 : c.Attempt)),
        ("GRPC_STATUS", _) => GrpcStatusText.Find(argument) is { } grpc ? new(name, argument == "NUMBER", grpc) : null,
        ("GRPC_STATUS_NUMBER", _) => new(name, true, GrpcStatusText.Find("NUMBER")!),
        ("TRAILER", { Length: > 0 }) => new(name, false, Trailer(argument)),
        ("HOSTNAME", _) => new(name, false, static _ => Environment.MachineName),
        ("ENVIRONMENT", { Length: > 0 }) => Fixed(name, Environment.GetEnvironmentVariable(argument)),
        ("TRACE_ID", _) => new(name, false, static c => c.Trace?.TraceId),
        ("JWT_STATUS", _) => new(name, false, static c => c.TokenStatus?.ToString()),
        ("ROUTE_NAME", _) => new(name, false, c => c.Route?.Name),
        ("POLICY_NAME", _) => new(name, false, c => c.Decision.PolicyId),
        ("DECISION_ID", _) => new(name, false, c => c.KnownDecisionId),
        ("REQUEST_PRINCIPAL", _) => new(name, false, c => c.Identity is { } i ? $"{i.Claims.Issuer}/{i.Claims.Subject}" : null),
        ("CLAIM", { Length: > 0 }) => Claim(argument),
        ("DYNAMIC_METADATA", { Length: > 0 }) => new(name, false, DynamicMetadata.Find(argument) ?? (static _ => null)),
        ("REQ_WITHOUT_QUERY", { Length: > 0 }) => new(name, false, WithoutQuery(RequestHeader(argument))),
        ("REQ", { Length: > 0 }) => new(name, false, RequestHeader(argument)),
        ("RESP", { Length: > 0 }) => new(name, string.Equals(argument, "x-envoy-upstream-service-time", StringComparison.OrdinalIgnoreCase), ResponseHeader(argument)),
        ("CONNECTION_TERMINATION_DETAILS", _) => new(name, false, static c => c.ConnectionTerminationDetails),
        ("UPSTREAM_LOCAL_ADDRESS", _) => new(name, false, static c => c.UpstreamLocalAddress),
        _ => ConnectionValues.Find(name) is { } connection ? new(name, false, connection) : null,
    };

    private static AccessLogOperator Time(string format)
    {
        var time = new AccessLogTime(format);
        return new("START_TIME", false, c => time.Render(c.StartTime));
    }

    private static AccessLogOperator Fixed(string name, string? value) => new(name, false, _ => value);

    private static Func<GatewayContext, string?> Trailer(string name) => c =>
    {
        var values = c.Http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpResponseTrailersFeature>()?.Trailers?[name] ?? default;
        return values.Count == 0 ? null : SecretRedaction.HeaderValue(name, values.ToString());
    };

    private static Func<GatewayContext, string?> WithoutQuery(Func<GatewayContext, string?> target) =>
        c => target(c) is { } value ? value.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? value[..query] : value : null;

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

    private static Func<GatewayContext, string?> ResponseHeader(string argument)
    {
        var names = argument.Split('?', 2);
        return c => names.Select(n => ResponseHeaderValue(c, n)).FirstOrDefault(v => v is not null);
    }

    private static string? ResponseHeaderValue(GatewayContext context, string name)
    {
        var values = context.Http.Response.Headers[name];
        return values.Count == 0 ? null : SecretRedaction.HeaderValue(name, values.ToString());
    }

    private static string? Endpoint(System.Net.IPAddress? address, int port) => address is null ? null : new System.Net.IPEndPoint(address, port).ToString();

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
