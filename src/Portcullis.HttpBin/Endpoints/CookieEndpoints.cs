using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary>Shows, sets and deletes cookies. Values are shown as received: nothing is decoded.</summary>
internal static class CookieEndpoints
{
    public static IEnumerable<Route> All() =>
    [
        new("GET", "/cookies", Show),
        new("GET", "/cookies/set", (context, _) => Set(context, context.Request.Query)),
        new("GET", "/cookies/set/{}/{}", (context, values) => Set(context, [new(values[0], values[1])])),
        new("GET", "/cookies/delete", Delete),
    ];

    private static Task Show(HttpContext context, IReadOnlyList<string> values)
    {
        var cookies = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in context.Request.Headers.Cookie)
        {
            foreach (var pair in (line ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                cookies.TryAdd(equals < 0 ? "" : pair[..equals], pair[(equals + 1)..]);
            }
        }

        var shown = new JsonObject();
        foreach (var (name, value) in cookies)
        {
            shown[name] = value;
        }

        return Body.Json(context, new() { ["cookies"] = shown });
    }

    private static Task Set(HttpContext context, IEnumerable<KeyValuePair<string, StringValues>> cookies)
    {
        var secure = RequestReport.Scheme(context) == "https" ? "; Secure" : "";
        foreach (var (name, value) in cookies)
        {
            context.Response.Headers.Append("Set-Cookie", $"{Escape(name)}={Escape(value.ToString())}{secure}; Path=/");
        }

        return RedirectEndpoints.Redirect(context, StatusCodes.Status302Found, "/cookies");
    }

    private static Task Delete(HttpContext context, IReadOnlyList<string> values)
    {
        foreach (var (name, _) in context.Request.Query)
        {
            context.Response.Headers.Append("Set-Cookie", $"{Escape(name)}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/");
        }

        return RedirectEndpoints.Redirect(context, StatusCodes.Status302Found, "/cookies");
    }

    /// <summary>Leaves RFC 6265's cookie-octets as they are and percent-encodes text that holds anything else.</summary>
    private static string Escape(string text)
    {
        foreach (var c in text)
        {
            if (c is <= ' ' or '"' or ',' or ';' or '\\' or '=' or > '~')
            {
                return Uri.EscapeDataString(text);
            }
        }

        return text;
    }
}
