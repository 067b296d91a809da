using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary>Endpoints that tell what they received.</summary>
internal static class InspectionEndpoints
{
    private const string AnyMethod = "GET POST PUT DELETE PATCH TRACE";

    public static IEnumerable<Route> All() =>
    [
        new("GET", "/get", (context, _) => Body.Json(context, RequestReport.WithoutBody(context))),
        new("POST", "/post", WithBody),
        new("PUT", "/put", WithBody),
        new("PATCH", "/patch", WithBody),
        new("DELETE", "/delete", WithBody),
        new(AnyMethod, "/anything", Anything),
        new(AnyMethod, "/anything/{**}", Anything),
        new("GET", "/headers", (context, _) => Body.Json(context, new() { ["headers"] = RequestReport.Headers(context) })),
        new("GET", "/ip", (context, _) => Body.Json(context, new() { ["origin"] = RequestReport.Origin(context) })),
        new("GET", "/user-agent", UserAgent),
        new("GET POST", "/response-headers", ResponseHeaders),
    ];

    private static async Task WithBody(HttpContext context, IReadOnlyList<string> values) =>
        await Body.Json(context, await RequestReport.WithBodyAsync(context).ConfigureAwait(false)).ConfigureAwait(false);

    private static async Task Anything(HttpContext context, IReadOnlyList<string> values)
    {
        var report = await RequestReport.WithBodyAsync(context).ConfigureAwait(false);
        report["method"] = context.Request.Method;
        await Body.Json(context, report).ConfigureAwait(false);
    }

    private static Task UserAgent(HttpContext context, IReadOnlyList<string> values) => Body.Json(
        context, new() { ["user-agent"] = context.Request.Headers.UserAgent is { Count: > 0 } agent ? agent.ToString() : null });

    /// <summary>
    /// Sends the query's pairs as headers and lists them, with its own length and type, in the body. Headers that frame the message stay ours;
    /// what cannot be a header is 400.
    /// </summary>
    private static Task ResponseHeaders(HttpContext context, IReadOnlyList<string> values)
    {
        var headers = context.Response.Headers;
        context.Response.ContentType = "application/json";
        var listed = new JsonObject { ["Content-Type"] = "application/json" };
        foreach (var (name, lines) in context.Request.Query)
        {
            if (name.ToUpperInvariant() is "CONTENT-LENGTH" or "TRANSFER-ENCODING" or "CONNECTION")
            {
                continue;
            }

            try
            {
                headers[name] = lines;
            }
            catch (InvalidOperationException)
            {
                return Body.Html(context, StatusCodes.Status400BadRequest, "Not a header");
            }

            listed[name] = lines.Count == 1 ? lines.ToString() : new JsonArray([.. lines.Select(l => (JsonNode?)l)]);
        }

        // The length is part of the text whose length it is.
        byte[] bytes;
        var length = "0";
        do
        {
            listed["Content-Length"] = length;
            bytes = Body.ToBytes(listed, indented: true);
        }
        while (length != (length = bytes.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)));

        return Body.Bytes(context, bytes);
    }
}
