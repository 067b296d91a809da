using System.Text;

namespace Portcullis.Resources.Reading;

/// <summary>Where in the document a reader is; becomes text only for a problem.</summary>
internal sealed class FieldPath(FieldPath? parent, string? name, int index = -1, bool isKey = false)
{
    public override string ToString()
    {
        var text = new StringBuilder();
        Append(text);
        return text.ToString();
    }

    public string Child(string child) => Join(ToString(), child);

    private static string Join(string path, string child) => path.Length == 0 ? child : $"{path}.{child}";

    private void Append(StringBuilder text)
    {
        parent?.Append(text);
        if (isKey)
        {
            text.Append('[').Append(name).Append(']');
            return;
        }

        if (name is not null)
        {
            text.Append(text.Length > 0 ? "." : "").Append(name);
        }

        if (index >= 0)
        {
            text.Append('[').Append(index).Append(']');
        }
    }
}
