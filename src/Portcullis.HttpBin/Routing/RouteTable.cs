namespace Portcullis.HttpBin.Routing;

/// <summary>Routes by first segment; within one, the first in order that matches.</summary>
internal sealed class RouteTable(IEnumerable<Route> routes)
{
    private readonly ILookup<string, Route> _routes = routes.ToLookup(r => r.Segments[0], StringComparer.Ordinal);

    public (Route Route, IReadOnlyList<string> Values)? Find(string path)
    {
        var segments = path.Split('/')[1..];
        if (segments.Length == 0)
        {
            return null;
        }

        foreach (var route in _routes[segments[0]])
        {
            if (Match(route.Segments, segments) is { } values)
            {
                return (route, values);
            }
        }

        return null;
    }

    private static List<string>? Match(string[] template, string[] segments)
    {
        var values = new List<string>();
        for (var i = 0; i < template.Length; i++)
        {
            if (template[i] == "{**}")
            {
                return values;
            }

            if (i >= segments.Length || (template[i] == "{}" ? segments[i].Length == 0 : template[i] != segments[i]))
            {
                return null;
            }

            if (template[i] == "{}")
            {
                values.Add(segments[i].Replace("%2F", "/", StringComparison.OrdinalIgnoreCase));
            }
        }

        return segments.Length == template.Length ? values : null;
    }
}
