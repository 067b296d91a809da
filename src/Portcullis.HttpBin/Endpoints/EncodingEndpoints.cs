using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Portcullis.HttpBin.Routing;

namespace Portcullis.HttpBin.Endpoints;

/// <summary><c>/gzip</c>, <c>/deflate</c>, <c>/brotli</c>: encoded whatever the client accepts; <c>/base64/{value}</c> decoded.</summary>
internal static class EncodingEndpoints
{
    public static IEnumerable<Route> All() =>
    [
        new("GET", "/gzip", (context, _) => Encoded(context, "gzip", "gzipped", s => new GZipStream(s, CompressionLevel.Fastest))),
        new("GET", "/deflate", (context, _) => Encoded(context, "deflate", "deflated", s => new ZLibStream(s, CompressionLevel.Fastest))),
        new("GET", "/brotli", (context, _) => Encoded(context, "br", "brotli", s => new BrotliStream(s, CompressionLevel.Fastest))),
        new("GET", "/base64/{}", Base64),
    ];

    private static async Task Encoded(HttpContext context, string coding, string flag, Func<Stream, Stream> compress)
    {
        var report = new JsonObject
        {
            [flag] = true,
            ["headers"] = RequestReport.Headers(context),
            ["method"] = context.Request.Method,
            ["origin"] = RequestReport.Origin(context),
        };
        using var compressed = new MemoryStream();
        var encoder = compress(compressed);
        await using (encoder.ConfigureAwait(false))
        {
            await encoder.WriteAsync(Body.ToBytes(report, indented: true), context.RequestAborted).ConfigureAwait(false);
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.ContentEncoding = coding;
        await Body.Bytes(context, compressed.ToArray()).ConfigureAwait(false);
    }

    private static Task Base64(HttpContext context, IReadOnlyList<string> values)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        var text = values[0].Replace('-', '+').Replace('_', '/').TrimEnd('=');
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var written)
            ? Body.Bytes(context, bytes.AsMemory(0, written))
            : Body.Text(context, "text/html; charset=utf-8", "Incorrect Base64 data try: SFRUUEJJTiBpcyBhd2Vzb21l");
    }
}
