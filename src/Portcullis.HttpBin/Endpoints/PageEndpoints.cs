using System.Text.Json.Nodes;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary>Fixed pages: the index, and a sample each of JSON, HTML and robots.txt.</summary>
internal static class PageEndpoints
{
    private const string Index = """
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><title>httpbin</title></head>
        <body>
        <h1>httpbin</h1>
        <p>A test backend: it tells what it received and answers as it is asked to.</p>
        <ul>
        <li>/get /post /put /patch /delete /anything /headers /ip /user-agent</li>
        <li>/status/{codes} /delay/{n} /redirect/{n} /relative-redirect/{n} /absolute-redirect/{n} /redirect-to?url=</li>
        <li>/bearer /basic-auth/{user}/{passwd} /hidden-basic-auth/{user}/{passwd} /cookies /cookies/set?k=v /cookies/delete?k</li>
        <li>/uuid /bytes/{n} /stream/{n} /gzip /deflate /brotli /base64/{value} /response-headers?k=v</li>
        <li>/json /html /robots.txt /deny /healthz /readyz</li>
        </ul>
        </body>
        </html>

        """;

    private const string Sample = """
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><title>A page</title></head>
        <body>
        <h1>A page</h1>
        <p>Some text to look for.</p>
        </body>
        </html>

        """;

    public static IEnumerable<Route> All() =>
    [
        new("GET", "/", (context, _) => Body.Text(context, "text/html; charset=utf-8", Index)),
        new("GET", "/html", (context, _) => Body.Text(context, "text/html; charset=utf-8", Sample)),
        new("GET", "/json", (context, _) => Body.Json(context, Slideshow())),
        new("GET", "/robots.txt", (context, _) => Body.Text(context, "text/plain", "User-agent: *\nDisallow: /deny\n")),
        new("GET", "/deny", (context, _) => Body.Text(context, "text/plain", "This page is not for robots.\n")),
    ];

    private static JsonObject Slideshow() => new()
    {
        ["slideshow"] = new JsonObject
        {
            ["author"] = "Yours Truly",
            ["date"] = "date of publication",
            ["slides"] = new JsonArray(
                new JsonObject { ["title"] = "Wake up to WonderWidgets!", ["type"] = "all" },
                new JsonObject { ["items"] = new JsonArray("first", "second"), ["title"] = "Overview", ["type"] = "all" }),
            ["title"] = "Sample Slide Show",
        },
    };
}
