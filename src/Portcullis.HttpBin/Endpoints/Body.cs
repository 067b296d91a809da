using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Portcullis.HttpBin.Endpoints;

/// <summary>Writes whole bodies, with their length.</summary>
internal static class Body
{
    private static readonly JsonWriterOptions Indented = Options(indented: true);
    private static readonly JsonWriterOptions OneLine = Options(indented: false);

    public static Task Json(HttpContext context, JsonObject value)
    {
        context.Response.ContentType = "application/json";
        return Bytes(context, ToBytes(value, indented: true));
    }

    public static Task Text(HttpContext context, string contentType, string text)
    {
        context.Response.ContentType = contentType;
        return Bytes(context, Encoding.UTF8.GetBytes(text));
    }

    public static Task Html(HttpContext context, int statusCode, string title)
    {
        context.Response.StatusCode = statusCode;
        return Text(context, "text/html; charset=utf-8", $"<!DOCTYPE html>\n<title>{statusCode} {title}</title>\n<h1>{title}</h1>\n");
    }

    public static Task Empty(HttpContext context, int statusCode)
    {
        context.Response.StatusCode = statusCode;
        if (statusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified))
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            context.Response.ContentLength = 0;
        }

        return Task.CompletedTask;
    }

    public static Task Bytes(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }

    /// <summary>Members sorted by name, a line feed at the end.</summary>
    public static byte[] ToBytes(JsonObject value, bool indented)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, indented ? Indented : OneLine))
        {
            writer.WriteStartObject();
            foreach (var (name, member) in value.OrderBy(m => m.Key, StringComparer.Ordinal))
            {
                writer.WritePropertyName(name);
                if (member is null)
                {
                    writer.WriteNullValue();
                }
                else
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Data that a test reads: only what JSON requires is escaped.</summary>
    private static JsonWriterOptions Options(bool indented) =>
        new() { Indented = indented, IndentSize = 2, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
