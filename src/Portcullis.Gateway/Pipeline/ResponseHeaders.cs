using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>What the gateway puts on every response: its name, CORS headers, and the route's own operations, in this order.</summary>
internal static class ResponseHeaders
{
    public static void Complete(GatewayContext context)
    {
        var headers = context.Http.Response.Headers;
        headers.Server = context.Snapshot.Mesh.ServerHeader;
        if (context.Cors is { } cors)
        {
            foreach (var header in cors.ResponseHeaders(context.Http.Request.Headers.Origin.ToString()))
            {
                headers[header.Name] = header.Value;
            }
        }

        if (context.Upstream.SetCookie is { } cookie)
        {
            headers.Append("set-cookie", cookie);
        }

        var mutations = context.Destination?.ResponseHeaders ?? context.Route?.ResponseHeaders;
        if (mutations is { IsEmpty: false })
        {
            Mutate(context, headers, mutations);
        }
    }

    private static void Mutate(GatewayContext context, IHeaderDictionary headers, HeaderMutations mutations)
    {
        var source = new HeaderCommandSource(context);
        foreach (var mutation in mutations.Operations)
        {
            if (mutation.Kind == HeaderMutationKind.Remove)
            {
                headers.Remove(mutation.Name);
                continue;
            }

            var value = mutation.Value.Render(in source);
            if (value.Length == 0)
            {
                continue;
            }

            if (mutation.Kind == HeaderMutationKind.Set)
            {
                headers[mutation.Name] = value;
            }
            else
            {
                headers.Append(mutation.Name, value);
            }
        }
    }
}
