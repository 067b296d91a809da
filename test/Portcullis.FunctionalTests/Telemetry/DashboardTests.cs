using System.Text.Json;
using System.Text.RegularExpressions;
using Portcullis.FunctionalTests.Support;

namespace Portcullis.FunctionalTests.Telemetry;

/// <summary>The dashboard and the alerts ask only for metrics and labels that docs/reference/metrics.md lists, which another test holds against a scrape.</summary>
public sealed partial class DashboardTests
{
    /// <summary>Added by Prometheus to every target, or by histograms to their buckets.</summary>
    private static readonly string[] CommonLabels = ["instance", "le"];

    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "reference", "metrics.md"));

    private static readonly Dictionary<string, string[]> Metrics = ReadPage();

    public static TheoryData<string, string> Expressions => [.. Dashboard().Concat(Alerts())];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Expression_OfDashboardOrAlert_UsesMetricsAndLabelsThatExist(string place, string expression)
    {
        var found = Metric().Matches(Words().Replace(expression, "$1")).Select(m => m.Value).Distinct().ToArray();

        Assert.True(found.Length > 0, $"{place}: no metric");
        var labels = found.Select(m => Assert.Contains(Base(m), Metrics)).SelectMany(l => l).Concat(CommonLabels).ToHashSet();
        var used = Selector().Matches(expression).Select(m => m.Groups[1].Value)
            .Concat(By().Matches(expression).SelectMany(m => m.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)));
        Assert.All(used, l => Assert.Contains(l, labels));
        Assert.Equal(expression.Count(c => c == '('), expression.Count(c => c == ')'));
    }

    [Fact]
    public void Dashboard_HasDistinctPanelsThatDoNotOverlap()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(DashboardFile));
        var panels = json.RootElement.GetProperty("panels").EnumerateArray().ToArray();

        Assert.Distinct(panels.Select(p => p.GetProperty("id").GetInt32()));
        Assert.Distinct(panels.Select(p => p.GetProperty("title").GetString()));
        Assert.Distinct(panels.SelectMany(p => Cells(p.GetProperty("gridPos"))));
    }

    private static string DashboardFile => Path.Combine(Repository.Root, "deploy", "grafana", "portcullis.json");

    private static IEnumerable<(int X, int Y)> Cells(JsonElement place)
    {
        int Of(string name) => place.GetProperty(name).GetInt32();
        return from x in Enumerable.Range(Of("x"), Of("w")) from y in Enumerable.Range(Of("y"), Of("h")) select (x, y);
    }

    private static IEnumerable<TheoryDataRow<string, string>> Dashboard()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(DashboardFile));
        foreach (var panel in json.RootElement.GetProperty("panels").EnumerateArray())
        {
            foreach (var target in panel.TryGetProperty("targets", out var targets) ? targets.EnumerateArray() : default)
            {
                yield return new(panel.GetProperty("title").GetString()!, target.GetProperty("expr").GetString()!);
            }
        }
    }

    private static IEnumerable<TheoryDataRow<string, string>> Alerts()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "prometheus", "alerts.yaml"));
        foreach (Match alert in Alert().Matches(text))
        {
            yield return new(alert.Groups[1].Value, alert.Groups[2].Value);
        }
    }

    /// <summary>A histogram's series have suffixes.</summary>
    private static string Base(string metric) => Suffix().Replace(metric, "") is var name && Metrics.ContainsKey(name) ? name : metric;

    private static Dictionary<string, string[]> ReadPage()
    {
        var istio = Name().Matches(Page[Page.IndexOf("## Istio's labels", StringComparison.Ordinal)..]).Select(m => m.Groups[1].Value).ToArray();
        var metrics = new Dictionary<string, string[]>();
        foreach (var row in Page.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
        {
            var cells = row.Split('|');
            var first = "";
            foreach (var name in Name().Matches(cells[1]).Select(m => m.Groups[1].Value))
            {
                first = name.StartsWith('_') ? first : name;
                var full = name.StartsWith('_') ? string.Concat(first.AsSpan(0, first.IndexOf("_hits", StringComparison.Ordinal)), name) : name;
                metrics[full] = cells[3].Contains("Istio's", StringComparison.Ordinal) ? istio : [.. Name().Matches(cells[3]).Select(m => m.Groups[1].Value)];
            }
        }

        return metrics;
    }

    [GeneratedRegex(@"(?ms)- alert: (\w+)\s+expr: \|?\s*(.*?)\n        (?:for|labels):")]
    private static partial Regex Alert();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Name();

    /// <summary>Label lists and selectors are no metrics.</summary>
    [GeneratedRegex(@"(\s)by \([^)]*\)|\{[^}]*\}")]
    private static partial Regex Words();

    [GeneratedRegex("(?:istio|portcullis|process)_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex("_(?:bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"[{,]\s*([a-z_]+)\s*(?:=~|!=|!~|=)\s*""")]
    private static partial Regex Selector();

    [GeneratedRegex(@"\bby \(([^)]*)\)")]
    private static partial Regex By();
}
