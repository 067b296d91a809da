using Microsoft.Extensions.Primitives;
using Portcullis.Gateway.Pipeline;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>The request's headers as an authorizer sees them: those that the backend would get, the lines of one name joined (CVE-2021-32777).</summary>
internal static class CheckHeaders
{
    /// <summary>Calls for each name, in lower case. Pseudo headers, <c>host</c> and what belongs to the connection are left out.</summary>
    public static void Visit<TState>(GatewayContext context, TState state, Action<TState, string, string> visit)
    {
        var headers = context.Http.Request.Headers;
        foreach (var (name, values) in headers)
        {
            var lower = name.ToLowerInvariant();
            if (!IsReplaced(lower) && !IsKept(lower))
            {
                visit(state, lower, Join(lower, values));
            }
        }

        visit(state, "x-forwarded-for", context.ForwardedFor);
        visit(state, "x-forwarded-proto", context.Scheme);
        visit(state, "x-request-id", context.RequestId);
        if (context.RemoteAddress is { } client)
        {
            visit(state, "x-envoy-external-address", client.ToString());
        }
    }

    private static bool IsKept(string name) => name != "content-length" && AuthorizerHeaders.IsProtected(name);

    /// <summary>What the gateway writes anew, whatever the client sent.</summary>
    private static bool IsReplaced(string name) => name is "x-forwarded-for" or "x-forwarded-proto" or "x-request-id" or "x-envoy-external-address";

    /// <summary>Joined by commas; cookies by semicolons, which are their separator (RFC 9113 §8.2.3).</summary>
    private static string Join(string name, StringValues values) =>
        values.Count == 1 ? values[0] ?? "" : string.Join(name == "cookie" ? "; " : ",", (IEnumerable<string?>)values);
}
