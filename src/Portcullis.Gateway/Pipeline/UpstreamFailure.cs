using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Forwarding;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Tells the client, in Envoy's words and flags, why the backend did not answer (routing.md §6.7).</summary>
internal static class UpstreamFailure
{
    /// <summary>Answers for an attempt that brought no response, or cuts a response that broke off.</summary>
    /// <param name="context">The request.</param>
    /// <param name="result">Of the last try.</param>
    /// <param name="wasRetried">It was not the first try.</param>
    /// <param name="retryFlag">The policy wanted another try: <c>URX</c> when none was left, <c>UO</c> when a limit forbade it.</param>
    public static Task AnswerAsync(GatewayContext context, in ForwardResult result, bool wasRetried, string? retryFlag)
    {
        switch (result.Outcome)
        {
            case ForwardOutcome.ClientFailed when context is { BodyRefusal: StatusCodes.Status408RequestTimeout or StatusCodes.Status413PayloadTooLarge, Http.Response.HasStarted: false }:
                return LocalReply.SendBodyRefusedAsync(context, context.BodyRefusal);
            case ForwardOutcome.ClientFailed when context is { BodyRefusal: StatusCodes.Status400BadRequest, Http.Response.HasStarted: false }:
                context.Http.Response.Headers.Connection = "close";
                return LocalReply.SendAsync(context, StatusCodes.Status400BadRequest, "", "http1.codec_error", "DPE");
            case ForwardOutcome.ClientFailed:
            case ForwardOutcome.Canceled:
                context.ClientWentAway();
                if (!context.Http.Response.HasStarted)
                {
                    context.Http.Response.StatusCode = StatusCodes.Status400BadRequest;
                }

                return Task.CompletedTask;
            case ForwardOutcome.BrokenResponse:
                return result.IsReset
                    ? Cut(context, "UR", "upstream_reset_after_response_started{remote_reset}")
                    : Cut(context, "UC", "upstream_reset_after_response_started{connection_termination}");
            default:
                return ResetAsync(context, result, wasRetried, retryFlag);
        }
    }

    /// <summary>504: the route's or the try's time is over.</summary>
    public static Task TimeoutAsync(GatewayContext context, bool isOfTry, bool retriesExhausted = false) => LocalReply.SendAsync(
        context,
        StatusCodes.Status504GatewayTimeout,
        LocalReply.UpstreamTimeout,
        isOfTry ? "upstream_per_try_timeout" : "response_timeout",
        retriesExhausted ? "UT,URX" : "UT");

    /// <summary>503: a limit of the connection pool is reached.</summary>
    public static Task OverflowAsync(GatewayContext context)
    {
        if (context.Snapshot.Mesh.ProxyHeaders.HasDebugHeaders)
        {
            context.Http.Response.Headers["x-envoy-overloaded"] = "true";
        }

        return LocalReply.SendAsync(
            context,
            StatusCodes.Status503ServiceUnavailable,
            "upstream connect error or disconnect/reset before headers. reset reason: overflow",
            "upstream_reset_before_response_started{overflow}",
            "UO");
    }

    /// <summary>Ends a response that has begun, so that the client cannot take it for whole.</summary>
    public static Task Cut(GatewayContext context, string flag, string details)
    {
        context.AddFlag(flag);
        context.ResponseDetails = details;
        context.Http.Abort();
        return Task.CompletedTask;
    }

    private static Task ResetAsync(GatewayContext context, in ForwardResult result, bool wasRetried, string? retryFlag)
    {
        var (status, reason, flag) = result.Outcome switch
        {
            ForwardOutcome.ConnectFailed => (StatusCodes.Status503ServiceUnavailable, "remote connection failure", "UF"),
            ForwardOutcome.ConnectTimeout => (StatusCodes.Status503ServiceUnavailable, "connection timeout", "UF"),
            ForwardOutcome.ProtocolError => (StatusCodes.Status502BadGateway, "protocol error", "UPE"),
            ForwardOutcome.Reset => (StatusCodes.Status503ServiceUnavailable, "remote reset", "UR"),
            ForwardOutcome.RefusedStream => (StatusCodes.Status503ServiceUnavailable, "remote refused stream reset", "UR"),
            ForwardOutcome.ConnectReset => (StatusCodes.Status503ServiceUnavailable, "remote error with CONNECT request", "UR"),
            _ => (StatusCodes.Status503ServiceUnavailable, "connection termination", "UC"),
        };
        context.UpstreamFailureReason = result.TransportFailure;
        var cause = result.TransportFailure is { } transport ? $", transport failure reason: {transport}" : "";
        var body = $"upstream connect error or disconnect/reset before headers. {(wasRetried ? "retried and the latest " : "")}reset reason: {reason}{cause}";
        var details = $"upstream_reset_before_response_started{{{(result.TransportFailure is { } t ? $"{reason},{t}" : reason)}}}".Replace(' ', '_');
        return LocalReply.SendAsync(context, status, body, details, retryFlag is null ? flag : $"{flag},{retryFlag}");
    }
}
