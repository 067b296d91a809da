using Microsoft.AspNetCore.Http;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>Answers preflights and marks responses, by the route's policy (routing.md §2.13).</summary>
internal static class CorsStage
{
    /// <returns><see langword="true"/> when the request was a preflight and has its answer.</returns>
    public static bool Answers(GatewayContext context, CompiledCorsPolicy cors)
    {
        var view = new RequestView(context);
        switch (cors.Evaluate(in view))
        {
            case CorsOutcome.AnswerPreflight:
                Answer(context, cors);
                return true;
            case CorsOutcome.AllowResponse:
                context.Cors = cors;
                return false;
            default:
                return false;
        }
    }

    /// <summary>
    /// Lets a page of an allowed origin read our own 401 or 403, which it otherwise sees as a network error. Istio does not; off in exact mode.
    /// </summary>
    /// <param name="context">The refused request.</param>
    /// <param name="cors">Of the route that it would have taken.</param>
    public static void MarkRefusal(GatewayContext context, CompiledCorsPolicy cors)
    {
        if (context.Snapshot.IsIstioExact || context.Http.Request.Headers.Origin.Count == 0)
        {
            return;
        }

        var view = new RequestView(context);
        if (cors.Evaluate(in view) == CorsOutcome.AllowResponse)
        {
            foreach (var header in cors.ResponseHeaders(context.Http.Request.Headers.Origin.ToString()))
            {
                context.Http.Response.Headers[header.Name] = header.Value;
            }
        }
    }

    private static void Answer(GatewayContext context, CompiledCorsPolicy cors)
    {
        var request = context.Http.Request.Headers;
        var response = context.Http.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentLength = 0;
        context.ResponseDetails = "cors_response";
        foreach (var header in cors.PreflightHeaders(
            request.Origin.ToString(), request.AccessControlRequestMethod.ToString(), request.AccessControlRequestHeaders.ToString()))
        {
            response.Headers[header.Name] = header.Value;
        }

        ResponseHeaders.Complete(context);
    }
}
