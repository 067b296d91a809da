using System.Text.Json;

namespace Portcullis.Fuzz;

/// <summary>Reads every value of a document: strings with half a pair would throw here.</summary>
internal static class JsonWalk
{
    public static void Over(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    _ = member.Name;
                    Over(member.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Over(item);
                }

                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Number:
                _ = element.TryGetDouble(out _);
                break;
        }
    }
}
