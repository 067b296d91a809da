using System.Globalization;
using Microsoft.AspNetCore.Http;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary>Endpoints that wait, stream or make data up; each is bounded as httpbin bounds it.</summary>
internal sealed class DynamicEndpoints(TimeProvider timeProvider)
{
    private const double MaxDelaySeconds = 10;
    private const int MaxBytes = 100 * 1024;
    private const int MaxLines = 100;

    public IEnumerable<Route> All() =>
    [
        new("GET POST PUT DELETE PATCH TRACE", "/delay/{}", Delay),
        new("GET", "/uuid", (context, _) => Body.Json(context, new() { ["uuid"] = Guid.NewGuid().ToString() })),
        new("GET", "/bytes/{}", RandomBytes),
        new("GET", "/stream/{}", Stream),
    ];

    private async Task Delay(HttpContext context, IReadOnlyList<string> values)
    {
        if (!double.TryParse(values[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            await Body.Html(context, StatusCodes.Status404NotFound, "Not Found").ConfigureAwait(false);
            return;
        }

        var report = await RequestReport.WithBodyAsync(context).ConfigureAwait(false);
        report.Remove("json");
        await Task.Delay(TimeSpan.FromSeconds(Math.Min(seconds, MaxDelaySeconds)), timeProvider, context.RequestAborted).ConfigureAwait(false);
        await Body.Json(context, report).ConfigureAwait(false);
    }

    /// <summary><c>?seed=</c> makes them repeatable.</summary>
    private static Task RandomBytes(HttpContext context, IReadOnlyList<string> values)
    {
        if (!TryCount(values[0], MaxBytes, out var count))
        {
            return Body.Html(context, StatusCodes.Status404NotFound, "Not Found");
        }

#pragma warning disable CA5394 // made-up bytes, not secrets
        var random = int.TryParse(context.Request.Query["seed"], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seed)
            ? new Random(seed)
            : Random.Shared;
        var bytes = new byte[count];
        random.NextBytes(bytes);
#pragma warning restore CA5394
        context.Response.ContentType = "application/octet-stream";
        return Body.Bytes(context, bytes);
    }

    private static async Task Stream(HttpContext context, IReadOnlyList<string> values)
    {
        if (!TryCount(values[0], MaxLines, out var count))
        {
            await Body.Html(context, StatusCodes.Status404NotFound, "Not Found").ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "application/json";
        var line = RequestReport.WithoutBody(context);
        for (var id = 0; id < count; id++)
        {
            line["id"] = id;
            await context.Response.Body.WriteAsync(Body.ToBytes(line, indented: false), context.RequestAborted).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static bool TryCount(string text, int max, out int count)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count))
        {
            return false;
        }

        count = Math.Min(count, max);
        return true;
    }
}
