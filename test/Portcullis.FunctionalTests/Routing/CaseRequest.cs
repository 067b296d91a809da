using System.Globalization;
using Portcullis.Routing.Tests.Examples;

namespace Portcullis.FunctionalTests.Routing;

/// <summary>The request of one case, as the file writes it.</summary>
internal sealed class CaseRequest(ExampleCase one)
{
    public int Times => int.Parse(Text("times", "1"), CultureInfo.InvariantCulture);

    public IEnumerable<(string Name, string Value)> Headers => Lines(one.Request.GetValueOrDefault("headers"));

    public string Text(string key, string otherwise) => one.Request.GetValueOrDefault(key) as string ?? otherwise;

    /// <summary>A mapping whose values may be lists.</summary>
    public static IEnumerable<(string Name, string Value)> Lines(object? value) => value is not Dictionary<object, object> map
        ? []
        : map.SelectMany(e => e.Value is IList<object> many ? many.Select(v => ((string)e.Key, (string)v)) : [((string)e.Key, (string)e.Value)]);
}
