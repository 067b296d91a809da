using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Decisions;
using Portcullis.Gateway.Listeners;

namespace Portcullis.Gateway.Admin;

/// <summary>The read-only admin API on loopback. Answers only to loopback names, so that a web page cannot reach it by DNS rebinding.</summary>
internal sealed class AdminApi(GatewayHealth health, ListenerGroup listeners, DecisionsApi decisions)
{
    public Task HandleAsync(HttpContext context)
    {
        if (!IsLocalName(context.Request.Host.Host))
        {
            context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            return context.Response.WriteAsync("the admin API answers only to localhost and to addresses\n");
        }

        if (IsOfAnotherSite(context.Request.Headers))
        {
            // A page cannot read the answers, but it could hold the streams that operators need.
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return context.Response.WriteAsync("the admin API does not answer pages of other sites\n");
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return Task.CompletedTask;
        }

        switch (context.Request.Path.Value)
        {
            case "/":
                context.Response.ContentType = "text/plain";
                return context.Response.WriteAsync("Portcullis admin API\n\n/status     state, problems, key sets\n/listeners  bound ports\n/decisions  recent decisions; /decisions/ID explains one, /decisions/stream tells them as they are made\n");
            case "/status":
                return GatewayHealth.WriteJsonAsync(context.Response, health.Detail());
            case "/listeners":
                return GatewayHealth.WriteJsonAsync(context.Response, listeners.Bound.Select(b => new { address = b.Key.ToString(), port = b.Value }));
            case "/decisions/stream" when HttpMethods.IsHead(context.Request.Method):
                context.Response.ContentType = "text/event-stream";
                return Task.CompletedTask;
            case { } path when path == "/decisions" || path.StartsWith("/decisions/", StringComparison.Ordinal):
                return decisions.HandleAsync(context);
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    private static bool IsOfAnotherSite(IHeaderDictionary headers) =>
        headers["Sec-Fetch-Site"] is [{ } site] && site is "cross-site" or "same-site"
        || (headers.Origin is [{ } origin] && origin != $"http://{headers.Host}");

    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || System.Net.IPAddress.TryParse(host, out _);
}
