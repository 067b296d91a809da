using System.Collections.Immutable;
using System.Text;

namespace Portcullis.Resources.Reading;

/// <summary>Reads a Secret. No problem ever shows one of its values.</summary>
internal static class SecretReader
{
    public static Resource Read(ObjectReader root, ResourceHeader header)
    {
        root.Accept("immutable");
        var values = ImmutableDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        root.SecretMap("data", (key, text, place) => values[key] = Base64.Decode(text, place));
        root.SecretMap("stringData", (key, text, _) => values[key] = Encoding.UTF8.GetBytes(text));
        return new Secret
        {
            ApiVersion = header.ApiVersion,
            Kind = header.Kind,
            Metadata = header.Metadata,
            Origin = header.Origin,
            Type = root.Text("type"),
            Values = values.ToImmutable(),
        };
    }
}
