namespace Portcullis.Policy.Authentication;

internal enum TokenLocationKind : byte
{
    Header,
    Parameter,
    Cookie,
}

/// <summary>One place in a request that rules read tokens from. Rules that read the same place share the instance.</summary>
internal sealed class TokenLocation(TokenLocationKind kind, string name, string prefix, int index)
{
    public TokenLocationKind Kind { get; } = kind;

    /// <summary>Lower case for a header; parameters and cookies are compared with case.</summary>
    public string Name { get; } = name;

    /// <summary>Headers only.</summary>
    public string Prefix { get; } = prefix;

    /// <summary>Position in the order of collection, the same for every rule (authentication.md §6): headers, parameters, cookies.</summary>
    public int Index { get; } = index;

    /// <summary>Whether removing the token of the one takes away the token of the other.</summary>
    public bool SharesCarrierWith(TokenLocation other) =>
        Kind == other.Kind && string.Equals(Name, other.Name, StringComparison.Ordinal);

    public override string ToString() => Kind switch
    {
        TokenLocationKind.Header => Prefix.Length == 0 ? $"header `{Name}`" : $"header `{Name}` with prefix `{Prefix}`",
        TokenLocationKind.Parameter => $"query parameter `{Name}`",
        _ => $"cookie `{Name}`",
    };
}
