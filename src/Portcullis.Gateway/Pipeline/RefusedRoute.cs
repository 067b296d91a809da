namespace Portcullis.Gateway.Pipeline;

/// <summary>
/// The route that a refused request would have taken. Envoy finds it before any filter looks: its response headers are on a 401 or 403 too, and its
/// name and cluster are in the access log, in metrics and in traces (routing.md §2.14, §8). Nothing of it is asked.
/// </summary>
internal static class RefusedRoute
{
    /// <summary>Before the refusal is sent.</summary>
    public static void Note(GatewayContext context)
    {
        var view = new RequestView(context);
        if (context.Hosts.Find(context.Authority)?.Match(in view) is not { Forward: { } forward } route)
        {
            return;
        }

        context.Route = route;
        context.Destination = forward.Pick();
        context.Cluster = context.Destination.Cluster;
        if (forward.Cors is { } cors)
        {
            CorsStage.MarkRefusal(context, cors);
        }
    }
}
