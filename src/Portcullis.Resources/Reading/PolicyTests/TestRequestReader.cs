using System.Collections.Immutable;
using System.Globalization;

namespace Portcullis.Resources.Reading.PolicyTests;

/// <summary>Reads a request: <c>GET /path</c>, <c>GET https://host:8443/path</c>, or its parts.</summary>
internal static class TestRequestReader
{
    private const string Written = "write it like `GET /path` or `GET http://host/path`, or as a mapping of method, path, host, headers, query, scheme and port";

    public static RequestFields Read(ObjectReader reader, string name) =>
        reader.ScalarOrObject(name, "a request line or a mapping", Line, Parts) ?? new RequestFields();

    private static RequestFields? Line(ScalarNode scalar, Place place)
    {
        var parts = scalar.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is not (1 or 2))
        {
            place.Error($"`{scalar.Text}` is not a request", Written);
            return null;
        }

        var method = parts.Length == 2 ? parts[0] : null;
        return (method is null || CheckMethod(method, place)) && Target(parts[^1], place) is { } request ? request with { Method = method } : null;
    }

    private static RequestFields? Target(string text, Place place)
    {
        var scheme = text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? "http"
            : text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? "https"
            : null;
        if (scheme is null)
        {
            return CheckPath(text, place) ? new RequestFields { Path = text } : null;
        }

        var rest = text[(scheme.Length + 3)..];
        var end = rest.AsSpan().IndexOfAny('/', '?', '#');
        var authority = end < 0 ? rest : rest[..end];
        var path = end < 0 ? "/" : rest[end] == '/' ? rest[end..] : "/" + rest[end..];
        var colon = authority.LastIndexOf(':');
        var port = scheme == "http" ? 80 : 443;
        if (colon > authority.LastIndexOf(']')
            && (!int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
        {
            place.Error($"`{authority[(colon + 1)..]}` is not a port", "write the URL like http://host:8080/path");
            return null;
        }

        return CheckHost(authority, place) && CheckPath(path, place) ? new RequestFields { Scheme = scheme, Host = authority, Port = port, Path = path } : null;
    }

    private static RequestFields Parts(ObjectReader reader)
    {
        var method = reader.Text("method");
        var path = reader.Text("path");
        var host = reader.Text("host");
        return new RequestFields
        {
            Method = method is not null && CheckMethod(method, reader.At("method")) ? method : null,
            Path = path is not null && CheckPath(path, reader.At("path")) ? path : null,
            Host = host is not null && CheckHost(host, reader.At("host")) ? host : null,
            Scheme = reader.Enumerated<string?>("scheme", null, ("http", "http"), ("https", "https")),
            Port = reader.Integer("port", 1, 65535),
            Headers = Pairs(reader, "headers", CheckHeader),
            Query = Pairs(reader, "query", (_, _, _) => true),
        };
    }

    private static ImmutableArray<KeyValuePair<string, string>> Pairs(ObjectReader reader, string name, Func<string, string, Place, bool> check)
    {
        var pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        reader.EachEntry(name, (entry, place) =>
        {
            foreach (var node in entry.Value is SequenceNode several ? several.Items : [entry.Value])
            {
                if (node is not ScalarNode { Kind: not ScalarKind.Null } scalar)
                {
                    ObjectReader.Mistyped(place, "text", node);
                }
                else if (check(entry.Key, scalar.Text, place))
                {
                    pairs.Add(new(entry.Key, scalar.Text));
                }
            }
        });
        return pairs.DrainToImmutable();
    }

    private static bool CheckHeader(string name, string value, Place place)
    {
        if (name.Length == 0 || !name.All(IsTokenCharacter))
        {
            place.Error($"`{name}` is not a header name", "use letters, digits and dashes; a pseudo-header such as :path is set by the request itself");
            return false;
        }

        if (value.Any(char.IsControl))
        {
            place.Error("a header value holds no control characters", "remove them");
            return false;
        }

        return true;
    }

    private static bool CheckMethod(string method, Place place)
    {
        if (method.Length > 0 && method.All(IsTokenCharacter))
        {
            return true;
        }

        place.Error($"`{method}` is not a method", Written);
        return false;
    }

    private static bool CheckPath(string path, Place place)
    {
        if (path.StartsWith('/') && !path.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            return true;
        }

        place.Error($"`{path}` is not a path", path.StartsWith('/') ? "a request line holds no spaces: write %20" : "a path begins with /; a URL with http:// or https://");
        return false;
    }

    private static bool CheckHost(string host, Place place)
    {
        if (host.Length > 0 && !host.Any(c => char.IsControl(c) || c is ' ' or '/' or '\\' or '@' or '?' or '#'))
        {
            return true;
        }

        place.Error($"`{host}` is not a host", "write a host as a client sends it, such as shop.example.com or shop.example.com:8080");
        return false;
    }

    /// <summary>RFC 9110 §5.6.2.</summary>
    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
