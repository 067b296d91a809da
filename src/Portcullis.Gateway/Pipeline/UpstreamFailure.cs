using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Forwarding;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Tells the client, in Envoy's words and flags, why the backend did not answer (routing.md §6.7).</summary>
internal static class UpstreamFailure
{
    public static Task AnswerAsync(GatewayContext context, ForwardOutcome outcome, bool wasRetried)
    {
        switch (outcome)
        {
            case ForwardOutcome.ClientFailed:
                context.ClientWentAway();
                if (!context.Http.Response.HasStarted)
                {
                    context.Http.Response.StatusCode = StatusCodes.Status400BadRequest;
                }

                return Task.CompletedTask;
            case ForwardOutcome.BrokenResponse:
                context.ResponseFlags = "UC";
                context.ResponseDetails = "upstream_reset_after_response_started{connection_termination}";
                context.Http.Abort();
                return Task.CompletedTask;
            case ForwardOutcome.Timeout:
                return LocalReply.SendAsync(context, StatusCodes.Status504GatewayTimeout, LocalReply.UpstreamTimeout, "response_timeout", "UT");
            default:
                return ResetAsync(context, outcome, wasRetried);
        }
    }

    private static Task ResetAsync(GatewayContext context, ForwardOutcome outcome, bool wasRetried)
    {
        var (status, reason, flag) = outcome switch
        {
            ForwardOutcome.ConnectFailed => (StatusCodes.Status503ServiceUnavailable, "remote connection failure", "UF"),
            ForwardOutcome.ConnectTimeout => (StatusCodes.Status503ServiceUnavailable, "connection timeout", "UF"),
            ForwardOutcome.ProtocolError => (StatusCodes.Status502BadGateway, "protocol error", "UPE"),
            _ => (StatusCodes.Status503ServiceUnavailable, "connection termination", "UC"),
        };
        var cause = context.UpstreamFailureReason is { } transport ? $", transport failure reason: {transport}" : "";
        var body = $"upstream connect error or disconnect/reset before headers. {(wasRetried ? "retried and the latest " : "")}reset reason: {reason}{cause}";
        var details = $"upstream_reset_before_response_started{{{(context.UpstreamFailureReason is { } t ? $"{reason},{t}" : reason)}}}".Replace(' ', '_');
        return LocalReply.SendAsync(context, status, body, details, wasRetried ? flag + ",URX" : flag);
    }
}
