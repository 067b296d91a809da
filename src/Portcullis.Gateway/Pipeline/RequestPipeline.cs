using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.ExternalAuthorization;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;

namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// The stages of a request in Envoy's order: normalise, CUSTOM, JWT, AUDIT/DENY/ALLOW, grpc-web, then fault, CORS and route. Each answers, or hands on.
/// </summary>
internal sealed class RequestPipeline(GrpcWebStage routes, ExternalAuthorizationStage external, SignatureLanes lanes, TimeProvider time)
{
    /// <summary>Answers the request, by itself or from a backend.</summary>
    public Task InvokeAsync(GatewayContext context)
    {
        ResponseHeaders.SetServer(context);
        if (RequestPreparation.Refuse(context) is { } malformed)
        {
            return malformed;
        }

        var view = new RequestView(context);
        // Asynchronous only for requests that a CUSTOM policy matches.
        return context.Snapshot.Authorizer.EvaluateCustom(in view) is { } custom ? AskAsync(context, custom) : ContinueAsync(context);
    }

    private async Task AskAsync(GatewayContext context, CustomMatch custom)
    {
        if (await external.PassesAsync(context, custom))
        {
            await ContinueAsync(context);
        }
    }

    /// <summary>The stages behind CUSTOM.</summary>
    private Task ContinueAsync(GatewayContext context)
    {
        if (context.Snapshot.Authenticator is not { } authenticator)
        {
            return AuthorizeAsync(context);
        }

        var view = new RequestView(context);
        var begun = time.GetTimestamp();
        var result = authenticator.Authenticate(in view, time.GetUtcNow(), lanes.Choose(context.RemoteAddress, begun));
        lanes.Charge(begun);
        // Asynchronous only for a signature that is not verified on this thread.
        return result.IsPostponed ? AuthenticateElsewhereAsync(context, authenticator) : GoOnAsync(context, in result);
    }

    private async Task AuthenticateElsewhereAsync(GatewayContext context, JwtAuthenticator authenticator)
    {
        var lane = await lanes.EnterAsync(context.RemoteAddress, context.Http.RequestAborted);
        if (lane == Lane.None)
        {
            await LocalReply.SendAsync(
                context, StatusCodes.Status429TooManyRequests, "Too many tokens with a bad signature from this address", "jwt_verification_rate_limited", "RL");
            return;
        }

        AuthenticationResult result;
        try
        {
            result = Authenticate(context, authenticator);
        }
        finally
        {
            lanes.Leave(lane);
        }

        await GoOnAsync(context, in result);
    }

    private AuthenticationResult Authenticate(GatewayContext context, JwtAuthenticator authenticator)
    {
        var view = new RequestView(context);
        return authenticator.Authenticate(in view, time.GetUtcNow());
    }

    private Task GoOnAsync(GatewayContext context, in AuthenticationResult result)
    {
        if (!result.IsAccepted)
        {
            if (result.Status == JwtStatus.VerificationFailed)
            {
                lanes.NoteBad(context.RemoteAddress);
            }

            context.TokenRule = result.Rule;
            return RefuseTokenAsync(context, result.Status);
        }

        context.Identity = result.Identity;
        Apply(context, result.Edits);
        return AuthorizeAsync(context);
    }

    private Task AuthorizeAsync(GatewayContext context)
    {
        var view = new RequestView(context);
        context.Decision = context.Snapshot.Authorizer.Evaluate(in view);
        return context.Decision.IsAllowed ? routes.InvokeAsync(context) : DenyAsync(context, context.Decision);
    }

    /// <summary>401 or 403 for a token that failed a check (authentication.md §13).</summary>
    private static Task RefuseTokenAsync(GatewayContext context, JwtStatus status)
    {
        var text = status.Message;
        context.TokenStatus = status;
        context.Http.Response.Headers.WWWAuthenticate = Challenge.Create(context, withError: status != JwtStatus.Missing);
        RefusedRoute.Note(context);
        return LocalReply.SendAsync(context, status.HttpStatusCode, text, $"jwt_authn_access_denied{{{text.Replace(' ', '_')}}}");
    }

    /// <summary>403, or 401 where another token could pass.</summary>
    internal static Task DenyAsync(GatewayContext context, in Decision decision)
    {
        context.Decision = decision;
        RefusedRoute.Note(context);
        var details = $"rbac_access_denied_matched_policy[{decision.PolicyId ?? "none"}]";
        if (decision.Outcome != DecisionOutcome.Challenge)
        {
            return LocalReply.SendAsync(context, StatusCodes.Status403Forbidden, LocalReply.AccessDenied, details);
        }

        context.Http.Response.Headers.WWWAuthenticate = Challenge.Create(context, withError: true);
        var body = context.Identity is null ? JwtStatus.Missing.Message : LocalReply.AccessDenied;
        return LocalReply.SendAsync(context, StatusCodes.Status401Unauthorized, body, details);
    }

    /// <summary>Later stages, and the backend, see the request as authentication leaves it.</summary>
    private static void Apply(GatewayContext context, RequestEdits? edits)
    {
        if (edits is null)
        {
            return;
        }

        var headers = context.Http.Request.Headers;
        foreach (var name in edits.HeadersToRemove)
        {
            headers.Remove(name);
        }

        foreach (var header in edits.HeadersToAppend)
        {
            headers.Append(header.Name, header.Value);
        }

        context.Edits = edits;
        if (edits.ReplacesQuery)
        {
            context.Query = edits.Query;
        }
    }
}
