using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Portcullis.Resources.Reading.PolicyTests;

/// <summary>A tree as JSON.</summary>
internal static class NodeJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(Node node)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            Write(json, node);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter json, Node node)
    {
        switch (node)
        {
            case MappingNode mapping:
                json.WriteStartObject();
                foreach (var entry in mapping.Entries)
                {
                    json.WritePropertyName(entry.Key);
                    Write(json, entry.Value);
                }

                json.WriteEndObject();
                break;
            case SequenceNode sequence:
                json.WriteStartArray();
                foreach (var item in sequence.Items)
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            case ScalarNode { Kind: ScalarKind.Null }:
                json.WriteNullValue();
                break;
            case ScalarNode { Kind: ScalarKind.Boolean } scalar:
                json.WriteBooleanValue(PlainScalar.IsTrue(scalar.Text));
                break;
            case ScalarNode { Kind: ScalarKind.Integer } scalar when PlainScalar.TryInteger(scalar.Text, out var integer):
                json.WriteNumberValue(integer);
                break;
            case ScalarNode { Kind: ScalarKind.Integer or ScalarKind.Float } scalar when PlainScalar.TryNumber(scalar.Text, out var number):
                json.WriteNumberValue(number);
                break;
            case ScalarNode scalar:
                json.WriteStringValue(scalar.Text);
                break;
        }
    }
}
