using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Pipeline;
using Portcullis.Policy.Authorization;
using Portcullis.Policy.Explanation;
using Portcullis.Resources;
using Portcullis.Routing;

namespace Portcullis.Gateway.Telemetry.Tracing;

/// <summary>
/// What a span says: Envoy's tags and Istio's, OpenTelemetry's HTTP conventions, and what decided. Never a query, a token or a cookie.
/// </summary>
internal static class SpanTags
{
    public static void Write(Activity span, GatewayContext context, TraceSettings settings)
    {
        var request = context.Http.Request;
        var status = context.ClientAborted ? 0 : context.Http.Response.StatusCode;
        span.DisplayName = Name(context);
        WriteEnvoy(span, context, status, settings);
        WriteConventions(span, context, status, settings);
        WriteDecision(span, context, settings);
        foreach (var tag in settings.CustomTags)
        {
            if (Custom(tag, request.Headers) is { Length: > 0 } value)
            {
                span.SetTag(tag.Name, value);
            }
        }
    }

    /// <summary>Istio's name of a route, <c>host:port/path*</c>, from the configuration; the method where there is no route.</summary>
    private static string Name(GatewayContext context)
    {
        if (context.Route is not { } route)
        {
            return context.Http.Request.Method;
        }

        var target = context.Cluster is { } cluster
            ? $"{cluster.Host}:{cluster.Port.ToString(CultureInfo.InvariantCulture)}"
            : route.VirtualService?.Name ?? "redirect";
        return target + Template(route);
    }

    private static string Template(CompiledRoute route) => route.Path.Kind switch
    {
        PathMatchKind.Exact or PathMatchKind.Regex => route.Path.Operand,
        _ => route.Path.Operand + "*",
    };

    private static void WriteEnvoy(Activity span, GatewayContext context, int status, TraceSettings settings)
    {
        var request = context.Http.Request;
        span.SetTag("component", "proxy");
        span.SetTag("http.method", request.Method);
        span.SetTag("http.url", $"{context.Scheme}://{context.Authority}{Path(context, settings)}");
        span.SetTag("http.protocol", request.Protocol);
        span.SetTag("http.status_code", status.ToString(CultureInfo.InvariantCulture));
        span.SetTag("response_flags", context.ResponseFlags ?? "-");
        span.SetTag("request_size", context.BytesReceived.ToString(CultureInfo.InvariantCulture));
        span.SetTag("response_size", context.BytesSent.ToString(CultureInfo.InvariantCulture));
        span.SetTag("user_agent", Agent(request));
        span.SetTag("guid:x-request-id", context.RequestId);
        span.SetTag("peer.address", context.PeerAddress?.ToString());
        span.SetTag("upstream_cluster", context.Cluster?.Name);
        span.SetTag("upstream_cluster.name", context.Cluster?.Name);
        span.SetTag("upstream_address", context.Endpoint?.Address);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetTag("error", "true");
        }
    }

    private static void WriteConventions(Activity span, GatewayContext context, int status, TraceSettings settings)
    {
        var request = context.Http.Request;
        span.SetTag("http.request.method", request.Method);
        span.SetTag("url.scheme", context.Scheme);
        span.SetTag("url.path", Path(context, settings));
        span.SetTag("server.address", context.Authority);
        span.SetTag("client.address", context.RemoteAddress?.ToString());
        span.SetTag("network.protocol.version", request.Protocol.StartsWith("HTTP/", StringComparison.Ordinal) ? request.Protocol[5..] : null);
        span.SetTag("user_agent.original", Agent(request));
        span.SetTag("http.response.status_code", status);
        if (context.Route is { } route)
        {
            span.SetTag("http.route", Template(route));
        }

        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetTag("error.type", status.ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error);
        }
        else if (context.ClientAborted)
        {
            span.SetTag("error.type", "client_disconnected");
        }
    }

    private static void WriteDecision(Activity span, GatewayContext context, TraceSettings settings)
    {
        span.SetTag("portcullis.route", context.Route?.Name is { Length: > 0 } name ? name : null);
        span.SetTag("portcullis.policy", context.Decision.PolicyId);
        span.SetTag("portcullis.jwt_status", context.TokenStatus?.ToString());
        span.SetTag("portcullis.decision_id", context.KnownDecisionId);
        WriteDryRun(span, "allow", context.Decision.AllowShadow);
        WriteDryRun(span, "deny", context.Decision.DenyShadow);
        if (settings.IncludesPrincipal && context.Identity is { } identity)
        {
            span.SetTag("enduser.id", $"{identity.Issuer}/{identity.Subject}");
        }
    }

    private static void WriteDryRun(Activity span, string action, ShadowResult? result)
    {
        if (result is { } shadow)
        {
            span.SetTag($"istio.authorization.dry_run.{action}_policy.name", shadow.PolicyId);
            span.SetTag($"istio.authorization.dry_run.{action}_policy.result", shadow.IsAllowed ? "allowed" : "denied");
        }
    }

    private static string Path(GatewayContext context, TraceSettings settings)
    {
        var path = SecretRedaction.HeaderValue("path", context.Path);
        return path.Length > settings.MaxPathTagLength ? path[..settings.MaxPathTagLength] : path;
    }

    private static string? Agent(HttpRequest request) =>
        request.Headers.UserAgent is [{ } agent, ..] ? SecretRedaction.HeaderValue("user-agent", agent) : null;

    private static string? Custom(CustomTag tag, IHeaderDictionary headers) => tag.Source == CustomTagSource.Header
        ? headers[tag.Value] is [{ } value, ..] ? SecretRedaction.HeaderValue(tag.Value, value) : tag.DefaultValue
        : tag.Value;
}
