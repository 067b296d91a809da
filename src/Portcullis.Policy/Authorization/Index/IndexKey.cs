using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>Attribute that rules are found by, the cheapest to look up first.</summary>
internal enum IndexField : byte
{
    Host,
    Path,
    Peer,
    Token,
    Method,
}

/// <summary>A text that a request must have for a rule to match.</summary>
/// <param name="Field">The attribute.</param>
/// <param name="Place">Where the text stands in it; always the whole of a token's names.</param>
/// <param name="Text">The text; of a token its issuer, <see langword="null"/> when any will do.</param>
/// <param name="Subject">Subject of a token; <see langword="null"/> when any will do.</param>
internal readonly record struct IndexKey(IndexField Field, LiteralPlace Place, string? Text, string? Subject = null)
{
    /// <summary>Hosts are compared without case: their keys are in lower case.</summary>
    public static bool TryCreate(IndexField field, in StringMatcher matcher, out IndexKey key)
    {
        var place = matcher.GetLiteral(out var text, out var ignoresCase);
        key = new(field, place, ignoresCase ? text.ToLowerInvariant() : text);
        return place != LiteralPlace.None && (!ignoresCase || System.Text.Ascii.IsValid(text));
    }
}
