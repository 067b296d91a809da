using Microsoft.AspNetCore.Http;
using Portcullis.Gateway.Forwarding;
using Portcullis.Routing;

namespace Portcullis.Gateway.Pipeline;

/// <summary>What the gateway puts on every response: its name, CORS headers, and the route's own operations, in this order.</summary>
internal static class ResponseHeaders
{
    /// <summary>The gateway's name, unless the mesh leaves the header to backends.</summary>
    public static void SetServer(GatewayContext context)
    {
        var mesh = context.Snapshot.Mesh;
        if (!mesh.ProxyHeaders.PassesServer)
        {
            context.Http.Response.Headers.Server = mesh.ServerHeader;
        }
    }

    public static void Complete(GatewayContext context)
    {
        var headers = context.Http.Response.Headers;
        SetServer(context);
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
