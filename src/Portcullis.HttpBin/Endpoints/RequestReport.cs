using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Portcullis.HttpBin.Endpoints;

/// <summary>What was received, in httpbin's JSON shapes. Every header is shown, those of proxies included: this backend stands behind one.</summary>
internal static class RequestReport
{
    /// <summary>The whole <c>url</c>: the target as it was on the request line, after the scheme and the Host header.</summary>
    public static string Url(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return target.StartsWith('/') ? $"{Scheme(context)}://{context.Request.Host.Value}{target}" : target;
    }

    public static string Scheme(HttpContext context) =>
        context.Request.Headers["X-Forwarded-Proto"] is [{ Length: > 0 } scheme] ? scheme : context.Request.Scheme;

    /// <summary><c>X-Forwarded-For</c> when there is one, else the peer.</summary>
    public static string Origin(HttpContext context) =>
        context.Request.Headers["X-Forwarded-For"] is { Count: > 0 } forwarded
            ? forwarded.ToString()
            : context.Connection.RemoteIpAddress?.ToString() ?? "";

    /// <summary>Names in title case as WSGI gives them, lines joined by commas.</summary>
    public static JsonObject Headers(HttpContext context)
    {
        var headers = new JsonObject();
        foreach (var (name, lines) in context.Request.Headers.OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase))
        {
            headers[TitleCase(name)] = string.Join(',', lines.ToArray());
        }

        return headers;
    }

    public static JsonObject Arguments(HttpContext context) => Values(context.Request.Query);

    /// <summary><c>url</c>, <c>args</c>, <c>headers</c>, <c>origin</c>.</summary>
    public static JsonObject WithoutBody(HttpContext context) => new()
    {
        ["args"] = Arguments(context),
        ["headers"] = Headers(context),
        ["origin"] = Origin(context),
        ["url"] = Url(context),
    };

    /// <summary>The same and <c>data</c>, <c>files</c>, <c>form</c>, <c>json</c>.</summary>
    public static async Task<JsonObject> WithBodyAsync(HttpContext context)
    {
        var report = WithoutBody(context);
        var (form, files) = (new JsonObject(), new JsonObject());
        var data = "";
        JsonNode? json = null;
        if (context.Request.HasFormContentType)
        {
            var received = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
            form = Values(received);
            foreach (var file in received.Files)
            {
                using var content = new MemoryStream();
                await file.CopyToAsync(content, context.RequestAborted).ConfigureAwait(false);
                files[file.Name] = TextOrDataUrl(content, file.ContentType);
            }
        }
        else
        {
            using var content = new MemoryStream();
            await context.Request.Body.CopyToAsync(content, context.RequestAborted).ConfigureAwait(false);
            data = TextOrDataUrl(content, "application/octet-stream");
            json = Json(content);
        }

        report["data"] = data;
        report["files"] = files;
        report["form"] = form;
        report["json"] = json;
        return report;
    }

    private static JsonObject Values(IEnumerable<KeyValuePair<string, StringValues>> pairs)
    {
        var result = new JsonObject();
        foreach (var (name, values) in pairs.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            result[name] = values.Count == 1 ? values.ToString() : new JsonArray([.. values.Select(v => (JsonNode?)v)]);
        }

        return result;
    }

    private static string TextOrDataUrl(MemoryStream content, string? contentType)
    {
        var bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
        return System.Text.Unicode.Utf8.IsValid(bytes)
            ? Encoding.UTF8.GetString(bytes)
            : string.Create(CultureInfo.InvariantCulture, $"data:{contentType};base64,{Convert.ToBase64String(bytes)}");
    }

    private static JsonNode? Json(MemoryStream content)
    {
        try
        {
            return content.Length == 0 ? null : JsonNode.Parse(content.GetBuffer().AsSpan(0, (int)content.Length));
        }
        catch (JsonException)
        {
            return null; // as httpbin: a body that is no JSON has no `json`
        }
    }

    private static string TitleCase(string name) => string.Create(name.Length, name, static (target, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            target[i] = i == 0 || !char.IsAsciiLetter(source[i - 1]) ? char.ToUpperInvariant(source[i]) : char.ToLowerInvariant(source[i]);
        }
    });
}
