namespace Portcullis.Resources.Reading;

/// <summary>Reads and validates <c>headers</c> of a route or a destination (routing.md §2.14).</summary>
internal static class HeaderRulesReader
{
    public static HeaderRules? Read(ObjectReader owner) => owner.Object("headers", static reader => new HeaderRules
    {
        Request = reader.Object("request", ReadOperations) ?? HeaderOperations.None,
        Response = reader.Object("response", ReadOperations) ?? HeaderOperations.None,
    });

    private static HeaderOperations ReadOperations(ObjectReader reader) => new()
    {
        Set = reader.TextMap("set", CheckPair),
        Add = reader.TextMap("add", CheckPair),
        Remove = reader.Texts("remove", static (name, place) => CheckName(name, place)),
    };

    private static void CheckPair(string name, string value, Place place)
    {
        CheckName(name, place);
        if (value.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            place.Error("a header value has no line breaks", "remove them");
        }
        else if (value.Replace("%%", "", StringComparison.Ordinal).Count(c => c == '%') % 2 != 0)
        {
            place.Error($"single % not allowed in `{value}`", "write %% for a percent sign");
        }
    }

    private static void CheckName(string name, Place place)
    {
        if (name.Length == 0)
        {
            place.Error("header name cannot be empty", "name the header");
        }
        else if (!Names.IsToken(name.StartsWith(':') ? name.AsSpan(1) : name))
        {
            place.Error($"header name `{name}` is not a valid header name", "use letters, digits, `-` and `_`");
        }
    }
}
