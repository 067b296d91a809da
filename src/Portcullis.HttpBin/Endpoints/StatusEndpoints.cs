using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary><c>/status/{codes}</c>: one code, several to choose from, or weighted as <c>200:3,500:1</c>; and the health paths.</summary>
internal static class StatusEndpoints
{
    public static IEnumerable<Route> All() =>
    [
        new("GET POST PUT DELETE PATCH TRACE", "/status/{}", Status),
        new("GET", "/healthz", (context, _) => Body.Text(context, "text/plain; charset=utf-8", "ok\n")),
        new("GET", "/readyz", (context, _) => Body.Text(context, "text/plain; charset=utf-8", "ok\n")),
    ];

    private static Task Status(HttpContext context, IReadOnlyList<string> values) =>
        TryChoose(values[0], out var code)
            ? Answer(context, code)
            : Body.Html(context, StatusCodes.Status400BadRequest, "Invalid status code");

    private static bool TryChoose(string codes, out int code)
    {
        code = 0;
        var choices = new List<(int Code, double Weight)>();
        foreach (var choice in codes.Split(','))
        {
            var colon = choice.IndexOf(':', StringComparison.Ordinal);
            var weight = 1.0;
            if (!int.TryParse(colon < 0 ? choice : choice.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var one)
                || one is < 200 or > 599
                || (colon >= 0 && !double.TryParse(choice.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out weight))
                || weight is not (>= 0 and <= 1e9))
            {
                return false;
            }

            choices.Add((one, weight));
        }

        var point = Random.Shared.NextDouble() * choices.Sum(c => c.Weight);
        foreach (var (one, weight) in choices)
        {
            code = one;
            point -= weight;
            if (point < 0)
            {
                break;
            }
        }

        return true;
    }

    private static Task Answer(HttpContext context, int code)
    {
        var headers = context.Response.Headers;
        switch (code)
        {
            case 301 or 302 or 303 or 305 or 307:
                headers.Location = "/redirect/1";
                break;
            case StatusCodes.Status401Unauthorized:
                headers.WWWAuthenticate = AuthEndpoints.BasicChallenge;
                break;
            case StatusCodes.Status407ProxyAuthenticationRequired:
                headers.ProxyAuthenticate = AuthEndpoints.BasicChallenge;
                break;
            case StatusCodes.Status406NotAcceptable:
                context.Response.StatusCode = code;
                return Body.Json(context, new()
                {
                    ["accept"] = new JsonArray("image/webp", "image/svg+xml", "image/jpeg", "image/png", "image/*"),
                    ["message"] = "Client did not request a supported media type.",
                });
            case StatusCodes.Status418ImATeapot:
                context.Response.StatusCode = code;
                headers["x-more-info"] = "http://tools.ietf.org/html/rfc2324";
                return Body.Text(context, "text/plain; charset=utf-8", "I am a teapot.\n");
        }

        return Body.Empty(context, code);
    }
}
