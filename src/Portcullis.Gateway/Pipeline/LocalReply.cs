using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Portcullis.Gateway.Decisions;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Answers that the gateway makes by itself, in Envoy's form (routing.md §6.4).</summary>
internal static class LocalReply
{
    public const string AccessDenied = "RBAC: access denied";
    public const string NoHealthyUpstream = "no healthy upstream";
    /// <summary>Response code details of a fault of the gateway itself.</summary>
    public const string InternalError = "internal_error";

    public const string UpstreamTimeout = "upstream request timeout";

    /// <summary>Sends the status with the text as its whole body; to a gRPC client as trailers-only with status 200.</summary>
    public static Task SendAsync(GatewayContext context, int status, string body, string details, string? flags = null)
    {
        context.ResponseDetails = details;
        if (flags is not null)
        {
            context.AddFlag(flags);
        }

        var response = context.Http.Response;
        if (context is { IsRefused: true, TellsDecisionId: true })
        {
            response.Headers[DecisionId.Header] = context.DecisionId;
        }

        if (context.Route is not null)
        {
            // A route's response operations reach the gateway's own replies too, once the route is known (routing.md §2.14).
            ResponseHeaders.Complete(context);
        }

        if (IsGrpc(context.Http.Request))
        {
            return SendGrpcAsync(response, status, body);
        }

        response.StatusCode = status;
        if (body.Length == 0)
        {
            response.ContentLength = 0;
            return Task.CompletedTask;
        }

        response.ContentType = "text/plain";
        response.ContentLength = Encoding.UTF8.GetByteCount(body);
        return HttpMethods.IsHead(context.Http.Request.Method) ? Task.CompletedTask : response.WriteAsync(body, context.Http.RequestAborted);
    }

    /// <summary>
    /// 503 in Envoy's words for a request that there is no room for. No <c>Retry-After</c>, as in Envoy: another instance may have room now.
    /// </summary>
    public static Task SendOverloadedAsync(GatewayContext context)
    {
        context.RawTarget = context.Http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        context.Authority = context.Http.Request.Host.Value ?? "";
        ResponseHeaders.SetServer(context);
        return SendAsync(context, StatusCodes.Status503ServiceUnavailable, "envoy overloaded", "overload", "OM");
    }

    /// <summary>Content type <c>application/grpc</c> or <c>application/grpc+…</c>.</summary>
    public static bool IsGrpc(HttpRequest request)
    {
        const string Grpc = "application/grpc";
        return request.Headers.ContentType is [{ } type]
            && type.StartsWith(Grpc, StringComparison.OrdinalIgnoreCase)
            && (type.Length == Grpc.Length || type[Grpc.Length] is '+' or ';');
    }

    private static Task SendGrpcAsync(HttpResponse response, int status, string body)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = GrpcStatus(status);
        if (body.Length > 0)
        {
            response.Headers["grpc-message"] = GrpcMessage(body);
        }

        response.Headers.Remove(HeaderNames.ContentLength);
        return Task.CompletedTask;
    }

    /// <summary>408 or 413 for a body that came too slowly or is too long; the rest of it is not read.</summary>
    public static Task SendBodyRefusedAsync(GatewayContext context, int status)
    {
        context.RawTarget = context.Http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        context.Authority = context.Http.Request.Host.Value ?? "";
        ResponseHeaders.SetServer(context);
        if (context.Http.Request.Protocol == HttpProtocol.Http11)
        {
            context.Http.Response.Headers.Connection = "close";
        }

        return status == StatusCodes.Status413PayloadTooLarge
            ? SendAsync(context, status, "Payload Too Large", "request_payload_too_large")
            : SendAsync(context, status, "request timeout", "request_overall_timeout");
    }

    private static string GrpcStatus(int status) => status switch
    {
        400 => "13",
        401 => "16",
        403 => "7",
        404 => "12",
        429 or 502 or 503 or 504 => "14",
        _ => "2",
    };

    /// <summary>gRPC's percent-encoding: printable ASCII but <c>%</c> stays.</summary>
    private static string GrpcMessage(string text)
    {
        var builder = new StringBuilder(text.Length);
        foreach (var unit in Encoding.UTF8.GetBytes(text))
        {
            if (unit is >= 0x20 and <= 0x7e and not (byte)'%')
            {
                builder.Append((char)unit);
            }
            else
            {
                builder.Append('%').Append(unit.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return builder.ToString();
    }
}
