using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>The stages behind authorization: fault, CORS, and what the route says (routing.md §7, stages 9–13).</summary>
internal sealed class RouteExecutor(UpstreamServices upstreams, TimeProvider time)
{
    public Task InvokeAsync(GatewayContext context)
    {
        var view = new RequestView(context);
        var route = context.Hosts.Find(context.Authority)?.Match(in view);
        if (route is null)
        {
            return LocalReply.SendAsync(context, StatusCodes.Status404NotFound, "", "route_not_found", "NR");
        }

        context.Route = route;
        return route.Action switch
        {
            RouteAction.Redirect => RedirectAsync(context, route),
            RouteAction.DirectResponse => RespondAsync(context, route.DirectResponse!),
            _ => ForwardAsync(context, route.Forward!),
        };
    }

    private static Task RedirectAsync(GatewayContext context, CompiledRoute route)
    {
        var redirect = route.Redirect!;
        var response = context.Http.Response;
        context.ResponseDetails = "direct_response";
        response.StatusCode = redirect.Status;
        response.Headers.Location = redirect.Location(route.Path, context.Scheme, context.Authority, context.Path, context.Query);
        response.ContentLength = 0;
        ResponseHeaders.Complete(context);
        return Task.CompletedTask;
    }

    private static Task RespondAsync(GatewayContext context, DirectResponseAction action)
    {
        var response = context.Http.Response;
        context.ResponseDetails = "direct_response";
        response.StatusCode = action.Status;
        if (!action.Body.IsEmpty)
        {
            response.ContentType = "text/plain";
        }

        ResponseHeaders.Complete(context);
        if (action.Status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified)
        {
            return Task.CompletedTask;
        }

        response.ContentLength = action.Body.Length;
        return action.Body.IsEmpty || HttpMethods.IsHead(context.Http.Request.Method)
            ? Task.CompletedTask
            : response.Body.WriteAsync(action.Body, context.Http.RequestAborted).AsTask();
    }

    private async Task ForwardAsync(GatewayContext context, ForwardAction action)
    {
        if (action.Fault is { } fault && await FaultStage.InjectAsync(context, fault, time))
        {
            return;
        }

        if (action.Cors is { } cors && CorsStage.Answers(context, cors))
        {
            return;
        }

        var destination = action.Pick();
        context.Destination = destination;
        context.Cluster = destination.Cluster;
        if (destination.Cluster is null)
        {
            await LocalReply.SendAsync(context, StatusCodes.Status503ServiceUnavailable, "", "cluster_not_found", "NC");
            return;
        }

        context.Trace?.Inject(context.Http.Request.Headers);
        Target(context, action, destination);
        await context.Upstream.RunAsync(action, upstreams);
    }

    /// <summary>Path, query and host as they go upstream.</summary>
    private static void Target(GatewayContext context, ForwardAction action, WeightedDestination destination)
    {
        var path = action.PathRewrite?.Apply(context.Route!.Path, context.Path) ?? context.Path;
        if (path.Length == 0 || path[0] != '/')
        {
            path = "/" + path;
        }

        context.UpstreamTarget = context.Query is null ? path : $"{path}?{context.Query}";
        context.UpstreamAuthority = destination.Authority ?? context.Authority;
        if (action.PathRewrite is not null)
        {
            context.OriginalTarget = context.Query is null ? context.Path : $"{context.Path}?{context.Query}";
        }
    }
}
