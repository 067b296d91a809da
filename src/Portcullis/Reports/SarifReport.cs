using System.Collections.Immutable;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Portcullis.Resources;

namespace Portcullis.Reports;

/// <summary>Problems as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format).</summary>
internal static class SarifReport
{
    public static string Format(ProblemReport report)
    {
        var rules = ProblemCodes.All;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonReport.Options))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json");
            json.WriteString("version", "2.1.0");
            json.WriteStartArray("runs");
            json.WriteStartObject();
            WriteTool(json, rules);
            json.WriteString("columnKind", "utf16CodeUnits");
            json.WriteStartArray("results");
            foreach (var problem in report.Problems)
            {
                WriteResult(json, problem, rules.IndexOf(problem.Code));
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteTool(Utf8JsonWriter json, ImmutableArray<string> rules)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "portcullis");
        json.WriteString("version", typeof(SarifReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");
        json.WriteStartArray("rules");
        foreach (var rule in rules)
        {
            json.WriteStartObject();
            json.WriteString("id", rule);
            json.WriteStartObject("shortDescription");
            json.WriteString("text", ProblemCodes.Describe(rule));
            json.WriteEndObject();
            WriteHelp(json, rule);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The page of the code, as it stands in docs/reference/problems.</summary>
    private static void WriteHelp(Utf8JsonWriter json, string rule)
    {
        if (ProblemPage.UriOf(rule) is { } uri)
        {
            json.WriteString("helpUri", uri.AbsoluteUri);
        }

        if (ProblemPage.Read(rule) is { } page)
        {
            json.WriteStartObject("help");
            json.WriteString("text", page);
            json.WriteString("markdown", page);
            json.WriteEndObject();
        }
    }

    private static void WriteResult(Utf8JsonWriter json, Problem problem, int rule)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", problem.Code);
        json.WriteNumber("ruleIndex", rule);
        json.WriteString("level", problem.Severity.ToString().ToLowerInvariant());
        json.WriteStartObject("message");
        json.WriteString("text", (problem.FieldPath is null ? "" : $"{problem.FieldPath}: ") + problem.Message + (problem.Remedy is null ? "" : $"; {problem.Remedy}"));
        json.WriteEndObject();
        if (problem.Source is { } source)
        {
            json.WriteStartArray("locations");
            json.WriteStartObject();
            json.WriteStartObject("physicalLocation");
            json.WriteStartObject("artifactLocation");
            json.WriteString("uri", UriOf(source));
            json.WriteEndObject();
            if (problem.Position is { } position)
            {
                json.WriteStartObject("region");
                json.WriteNumber("startLine", position.Line);
                json.WriteNumber("startColumn", position.Column);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            if (problem.Resource is { } resource)
            {
                json.WriteStartArray("logicalLocations");
                json.WriteStartObject();
                json.WriteString("fullyQualifiedName", resource.ToString());
                json.WriteString("kind", "resource");
                json.WriteEndObject();
                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>A relative path stays relative, to the folder that the check ran in.</summary>
    private static string UriOf(string path)
    {
        var escaped = string.Join('/', path.Replace('\\', '/').Split('/').Select(Uri.EscapeDataString));
        return Path.IsPathRooted(path) ? $"file://{escaped}" : escaped;
    }
}
