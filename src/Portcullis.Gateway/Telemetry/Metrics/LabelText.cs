using System.Text;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>Labels in Prometheus' text format: <c>a="1",b="2"</c>.</summary>
internal readonly struct LabelText()
{
    private readonly StringBuilder _text = new();

    public void Add(string name, string value)
    {
        _text.Append(_text.Length == 0 ? "" : ",").Append(name).Append("=\"");
        foreach (var unit in value)
        {
            _ = unit switch
            {
                '\\' => _text.Append(@"\\"),
                '"' => _text.Append("\\\""),
                '\n' => _text.Append("\\n"),
                _ => _text.Append(unit),
            };
        }

        _text.Append('"');
    }

    public override string ToString() => _text.ToString();
}
