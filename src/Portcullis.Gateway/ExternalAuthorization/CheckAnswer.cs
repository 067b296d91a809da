using System.Text;
using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>Does what an authorizer's answer asks for: changes the request that passes, or answers the client.</summary>
internal static class CheckAnswer
{
    /// <summary>Envoy's flag of every refusal in this stage.</summary>
    private const string Flag = "UAEX";

    /// <summary>The request as later stages and the backend see it, and what the response gets.</summary>
    public static void Apply(GatewayContext context, CheckResult result)
    {
        var headers = context.Http.Request.Headers;
        foreach (var change in result.RequestHeaders)
        {
            Change(headers, change);
        }

        foreach (var name in result.RemovedHeaders)
        {
            if (!AuthorizerHeaders.IsProtected(name))
            {
                headers.Remove(name);
            }
        }

        if (result.Parameters.Count > 0 || result.RemovedParameters.Count > 0)
        {
            context.Query = QueryEditor.Apply(context.Query, result.Parameters, result.RemovedParameters);
        }

        if (result.ResponseHeaders.Count > 0)
        {
            // Whoever answers, a backend or a later stage: the headers go on top.
            context.Http.Response.OnStarting(
                static state =>
                {
                    var (response, changes) = ((IHeaderDictionary, List<HeaderChange>))state;
                    foreach (var change in changes)
                    {
                        Change(response, change);
                    }

                    return Task.CompletedTask;
                },
                (context.Http.Response.Headers, result.ResponseHeaders));
        }
    }

    /// <summary>Answers as the authorizer wants it.</summary>
    public static async Task DenyAsync(GatewayContext context, CheckResult result)
    {
        RefusedRoute.Note(context);
        await ReplyAsync(context, result.Status!.Value, result, "ext_authz_denied");
    }

    /// <summary>Answers for an authorizer that could not be asked: with an empty body, unless it sent one with its error.</summary>
    public static async Task FailAsync(GatewayContext context, CheckResult result, int statusOnError)
    {
        RefusedRoute.Note(context);
        await ReplyAsync(context, result.Status ?? statusOnError, result, "ext_authz_error");
    }

    /// <summary>500 for an answer whose headers cannot be written: the request must not pass without them.</summary>
    public static Task RefuseInvalidAsync(GatewayContext context)
    {
        RefusedRoute.Note(context);
        return LocalReply.SendAsync(context, StatusCodes.Status500InternalServerError, "", "ext_authz_invalid", Flag);
    }

    /// <summary>413 for a body that is too large to be checked; no <c>failOpen</c> lets it pass.</summary>
    public static Task RefuseBodyAsync(GatewayContext context)
    {
        RefusedRoute.Note(context);
        return LocalReply.SendAsync(context, StatusCodes.Status413PayloadTooLarge, "Payload Too Large", "request_payload_too_large");
    }

    private static async Task ReplyAsync(GatewayContext context, int status, CheckResult result, string details)
    {
        var response = context.Http.Response;
        if (LocalReply.IsGrpc(context.Http.Request))
        {
            await LocalReply.SendAsync(context, status, Encoding.UTF8.GetString(result.Body.Span), details, Flag);
            AddHeaders(response.Headers, result.ReplyHeaders, exceptContentType: true);
            TellDecisionId(context);
            return;
        }

        context.ResponseDetails = details;
        context.AddFlag(Flag);
        response.StatusCode = status;
        AddHeaders(response.Headers, result.ReplyHeaders, exceptContentType: false);
        TellDecisionId(context);
        if (status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified)
        {
            return;
        }

        response.ContentLength = result.Body.Length;
        if (result.Body.IsEmpty)
        {
            return;
        }

        if (response.Headers.ContentType.Count == 0)
        {
            response.ContentType = "text/plain";
        }

        if (!HttpMethods.IsHead(context.Http.Request.Method))
        {
            await response.Body.WriteAsync(result.Body, context.Http.RequestAborted);
        }
    }

    /// <summary>In place of one that the authorizer, behind a gateway itself, may have sent.</summary>
    private static void TellDecisionId(GatewayContext context)
    {
        if (context is { IsRefused: true, TellsDecisionId: true })
        {
            context.Http.Response.Headers[DecisionId.Header] = context.DecisionId;
        }
    }

    /// <summary>In place of what the gateway has put there; a name may have several lines, as <c>set-cookie</c> has.</summary>
    private static void AddHeaders(IHeaderDictionary headers, List<HeaderChange> changes, bool exceptContentType)
    {
        foreach (var change in changes)
        {
            headers.Remove(change.Name);
        }

        foreach (var change in changes)
        {
            if (!exceptContentType || !change.Name.Equals("content-type", StringComparison.OrdinalIgnoreCase))
            {
                headers.Append(change.Name, change.Value);
            }
        }
    }

    private static void Change(IHeaderDictionary headers, in HeaderChange change)
    {
        var exists = headers.ContainsKey(change.Name);
        switch (change.Kind)
        {
            case HeaderChangeKind.Append:
            case HeaderChangeKind.AddIfAbsent when !exists:
                headers.Append(change.Name, change.Value);
                break;
            case HeaderChangeKind.Overwrite:
            case HeaderChangeKind.OverwriteIfExists when exists:
                headers[change.Name] = change.Value;
                break;
        }
    }
}
