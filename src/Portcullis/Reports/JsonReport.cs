using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Portcullis.Reports;

/// <summary>Problems as one JSON object: <c>errors</c>, <c>warnings</c>, <c>notes</c>, <c>resources</c> and <c>problems</c>.</summary>
internal static class JsonReport
{
    /// <summary>Text for people too: only what JSON itself demands is escaped.</summary>
    public static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Format(ProblemReport report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteNumber("errors", report.Errors);
            json.WriteNumber("warnings", report.Warnings);
            json.WriteNumber("notes", report.Notes);
            json.WriteNumber("resources", report.Resources);
            json.WriteStartArray("problems");
            foreach (var problem in report.Problems)
            {
                json.WriteStartObject();
                json.WriteString("severity", problem.Severity.ToString().ToLowerInvariant());
                json.WriteString("code", problem.Code);
                json.WriteString("message", problem.Message);
                Optional(json, "remedy", problem.Remedy);
                Optional(json, "field", problem.FieldPath);
                Optional(json, "source", problem.Source);
                if (problem.Position is { } position)
                {
                    json.WriteNumber("line", position.Line);
                    json.WriteNumber("column", position.Column);
                }

                if (problem.Resource is { } resource)
                {
                    json.WriteStartObject("resource");
                    json.WriteString("kind", resource.Kind);
                    json.WriteString("namespace", resource.Namespace);
                    json.WriteString("name", resource.Name);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
