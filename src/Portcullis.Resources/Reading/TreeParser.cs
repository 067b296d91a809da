namespace Portcullis.Resources.Reading;

/// <summary>Text to trees, for both syntaxes. Whatever is wrong becomes a problem; a document with one has no tree.</summary>
internal static class TreeParser
{
    /// <summary>Longest text read at all, in characters.</summary>
    public const int MaxTextLength = 64 * 1024 * 1024;

    /// <summary>Deepest nesting; the deepest field of any kind is below 20.</summary>
    public const int MaxDepth = 100;

    /// <summary>Nodes that aliases and merge keys may add to a document: "a billion laughs" stops here.</summary>
    public const int MaxAliasedNodes = 100_000;

    public static Node[] Parse(SourceText source, TextSlice slice, ReadContext context) =>
        source.IsJson ? JsonTreeParser.Parse(source, slice, context) : new YamlTreeParser(source, slice, context).Parse();
}

/// <summary>Ends the parsing of a slice whose remainder cannot be understood.</summary>
internal sealed class TreeException(SourcePosition position, string message, string? remedy) : Exception(message)
{
    public SourcePosition Position { get; } = position;

    public string? Remedy { get; } = remedy;
}
