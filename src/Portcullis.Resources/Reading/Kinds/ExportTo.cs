using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads <c>exportTo</c>.</summary>
internal static class ExportTo
{
    public static ImmutableArray<string> Read(ObjectReader spec, string field = "exportTo")
    {
        var values = spec.Texts(field, static (value, place) =>
        {
            if (value is not ("*" or "." or "~") && !Names.IsLabel(value))
            {
                place.Error($"`{value}` is not `*`, `.`, `~` or a namespace", "name the namespaces that may see it");
            }
        });
        if (values.Length > 1 && values.Any(v => v is "*" or "~"))
        {
            spec.At(field).Error($"`*` or `~` must stand alone in {field}", "keep it alone, or list namespaces");
        }

        return values;
    }
}
