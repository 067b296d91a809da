using System.Globalization;
using System.Text;

namespace Portcullis.Gateway.Telemetry.Metrics;

/// <summary>Writes Prometheus' text format 0.0.4.</summary>
internal sealed class PrometheusText
{
    private readonly StringBuilder _text = new();

    /// <summary>Begins a metric.</summary>
    public void Describe(string name, string type, string help) =>
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    /// <summary>One value.</summary>
    /// <param name="name">Of the metric begun.</param>
    /// <param name="labels">Rendered labels; empty for none.</param>
    /// <param name="value">Its value.</param>
    public void Value(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0)
        {
            _text.Append('{').Append(labels).Append('}');
        }

        _text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>A metric with one value.</summary>
    public void Single(string name, string type, string help, double value)
    {
        Describe(name, type, help);
        Value(name, "", value);
    }

    /// <summary>The buckets, sum and count of a histogram.</summary>
    /// <param name="name">Of the metric begun.</param>
    /// <param name="labels">Rendered labels, at least one.</param>
    /// <param name="counts">What was counted.</param>
    /// <param name="scale">Units of the sum in one unit of the buckets.</param>
    public void Histogram(string name, string labels, BucketedCounts counts, double scale)
    {
        var bounds = BucketedCounts.UpperBounds;
        Span<long> buckets = stackalloc long[bounds.Length + 1];
        counts.CopyTo(buckets);
        long total = 0;
        for (var i = 0; i < buckets.Length; i++)
        {
            total += buckets[i];
            _text.Append(name).Append("_bucket{").Append(labels).Append(",le=\"");
            _ = i == bounds.Length ? _text.Append("+Inf") : _text.Append(bounds[i].ToString("R", CultureInfo.InvariantCulture));
            _text.Append("\"} ").Append(total).Append('\n');
        }

        Value(name + "_sum", $"{labels}", counts.Sum / scale);
        Value(name + "_count", $"{labels}", total);
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
