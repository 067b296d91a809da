using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Portcullis.Gateway.Explanation;

/// <summary>Explanations as JSON: camelCase names, values that are absent left out.</summary>
public static class ExplanationJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly JsonSerializerOptions OneLine = new(Options) { WriteIndented = false };

    /// <summary>Indented JSON.</summary>
    public static string Serialize<T>(T explanation) => JsonSerializer.Serialize(explanation, Options);

    /// <summary>JSON without a line break.</summary>
    public static string SerializeLine<T>(T explanation) => JsonSerializer.Serialize(explanation, OneLine);

    /// <summary>Reads what <see cref="Serialize"/> wrote.</summary>
    /// <exception cref="JsonException">The text is something else.</exception>
    public static T Deserialize<T>(string json) => JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException("the text is null");
}
