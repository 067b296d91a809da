using System.Collections.Immutable;

namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates one <c>match</c> block (routing.md §2.4).</summary>
internal static class HttpMatchReader
{
    public static HttpMatchRequest Read(ObjectReader reader) => new()
    {
        Name = reader.Text("name"),
        Uri = reader.Object("uri", ReadStringMatch),
        Scheme = reader.Object("scheme", ReadStringMatch),
        Method = reader.Object("method", ReadStringMatch),
        Authority = reader.Object("authority", ReadStringMatch),
        Headers = Headers(reader, "headers"),
        WithoutHeaders = Headers(reader, "withoutHeaders"),
        QueryParams = reader.Map("queryParams", ReadStringMatch),
        IgnoreUriCase = reader.Boolean("ignoreUriCase") ?? false,
        Port = reader.Integer("port", 1, 65535),
        Gateways = reader.Texts("gateways", VirtualServiceReader.CheckGateway),
        SourceLabels = reader.TextMap("sourceLabels"),
        SourceNamespace = reader.Text("sourceNamespace"),
        StatPrefix = reader.Text("statPrefix"),
    };

    /// <summary><c>exact</c>, <c>prefix</c>, <c>regex</c>, or <c>{}</c> for "present".</summary>
    public static StringMatch ReadStringMatch(ObjectReader reader)
    {
        var exact = reader.Text("exact");
        var prefix = reader.Text("prefix");
        var regex = reader.Text("regex");
        if ((exact is null ? 0 : 1) + (prefix is null ? 0 : 1) + (regex is null ? 0 : 1) > 1)
        {
            reader.Self.Error("only one of exact, prefix or regex can be set", "split it into several match blocks");
        }

        if (regex is not null && regex != "*" && Regexes.Wrong(regex) is { } wrong)
        {
            reader.At("regex").Error(wrong, "write an RE2 expression for the whole value");
        }

        return exact is not null ? new(StringMatchKind.Exact, exact)
            : prefix is not null ? new(StringMatchKind.Prefix, prefix)
            : regex is "*" ? new(StringMatchKind.Present, "")
            : regex is not null ? new(StringMatchKind.Regex, regex)
            : new(StringMatchKind.Present, "");
    }

    private static ImmutableDictionary<string, StringMatch> Headers(ObjectReader reader, string field)
    {
        var headers = reader.Map(field, ReadStringMatch);
        foreach (var name in headers.Keys)
        {
            if (WrongName(name) is { } wrong)
            {
                reader.At(field).Error(wrong, "name a header, :method, :authority, :path, :scheme, or @request.auth.claims[name]");
            }
        }

        return headers;
    }

    private static string? WrongName(string name)
    {
        const string Claims = "@request.auth.claims";
        if (name.Length == 0)
        {
            return "header name cannot be empty";
        }

        if (name.StartsWith('@'))
        {
            var rest = name.AsSpan(Math.Min(Claims.Length, name.Length));
            return name.StartsWith(Claims, StringComparison.OrdinalIgnoreCase) && ((rest is ['.', _, ..]) || (rest is ['[', _, ..] && rest.EndsWith("]")))
                ? null
                : $"`{name}` is not a claim: should have format {Claims}[name] or {Claims}.name";
        }

        return name is ":method" or ":authority" or ":path" or ":scheme" || Names.IsToken(name)
            ? null
            : $"header name `{name}` is not a valid header name";
    }
}
