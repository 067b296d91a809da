using System.Globalization;
using Microsoft.AspNetCore.Http;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary>Chains of n redirects that end at <c>/get</c>, with relative or absolute targets; <c>/redirect-to?url=…</c>.</summary>
internal static class RedirectEndpoints
{
    public static IEnumerable<Route> All() =>
    [
        new("GET", "/redirect/{}", (context, values) =>
            Chain(context, values[0], absolute: context.Request.Query["absolute"] == "true", relativeName: "/relative-redirect/")),
        new("GET", "/relative-redirect/{}", (context, values) => Chain(context, values[0], absolute: false, relativeName: "/relative-redirect/")),
        new("GET", "/absolute-redirect/{}", (context, values) => Chain(context, values[0], absolute: true, relativeName: "")),
        new("GET POST PUT DELETE PATCH TRACE", "/redirect-to", To),
    ];

    private static Task Chain(HttpContext context, string count, bool absolute, string relativeName)
    {
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var left) || left == 0)
        {
            return Body.Html(context, StatusCodes.Status404NotFound, "Not Found");
        }

        var path = left == 1 ? "/get" : string.Create(CultureInfo.InvariantCulture, $"{(absolute ? "/absolute-redirect/" : relativeName)}{left - 1}");
        return Redirect(context, StatusCodes.Status302Found, absolute ? $"{RequestReport.Scheme(context)}://{context.Request.Host.Value}{path}" : path);
    }

    private static Task To(HttpContext context, IReadOnlyList<string> values)
    {
        var code = context.Request.Query["status_code"] is [{ } text]
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) && wanted is >= 300 and < 400
            ? wanted
            : StatusCodes.Status302Found;
        return context.Request.Query["url"] is [{ Length: > 0 } url] && !url.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? Redirect(context, code, url)
            : Body.Html(context, StatusCodes.Status400BadRequest, "The query needs a url");
    }

    public static Task Redirect(HttpContext context, int code, string location)
    {
        context.Response.Headers.Location = location;
        return Body.Html(context, code, "Redirecting");
    }
}
