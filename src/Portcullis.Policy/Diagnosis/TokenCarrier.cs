using System.Diagnostics.CodeAnalysis;
using Portcullis.Policy.Authentication;

namespace Portcullis.Policy.Diagnosis;

/// <summary>Where a client puts its token.</summary>
public sealed class TokenCarrier
{
    private TokenCarrier(TokenLocationKind kind, string name, string prefix)
    {
        Kind = kind;
        Name = name;
        Prefix = prefix;
    }

    /// <summary><c>Authorization: Bearer TOKEN</c> (RFC 6750 §2.1).</summary>
    public static TokenCarrier Bearer { get; } = new(TokenLocationKind.Header, "authorization", "Bearer ");

    internal TokenLocationKind Kind { get; }

    internal string Name { get; }

    internal string Prefix { get; }

    /// <summary><c>header:NAME</c> or <c>header:NAME:PREFIX</c>, <c>param:NAME</c>, <c>cookie:NAME</c>.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out TokenCarrier? carrier)
    {
        ArgumentNullException.ThrowIfNull(text);
        carrier = text.Split(':', 3) switch
        {
            ["header", { Length: > 0 } name] => name.Equals("authorization", StringComparison.OrdinalIgnoreCase) ? Bearer : new(TokenLocationKind.Header, name, ""),
            ["header", { Length: > 0 } name, var prefix] => new(TokenLocationKind.Header, name, prefix),
            ["param", { Length: > 0 } name] => new(TokenLocationKind.Parameter, name, ""),
            ["cookie", { Length: > 0 } name] => new(TokenLocationKind.Cookie, name, ""),
            _ => null,
        };
        return carrier is not null;
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => Write(new(Kind, Name, Prefix, 0));

    /// <summary>The text that <see cref="TryParse"/> reads as a place.</summary>
    internal static string Write(TokenLocation place) => place.Kind switch
    {
        TokenLocationKind.Header => place.Prefix.Length == 0 || place is { Name: "authorization", Prefix: "Bearer " } ? $"header:{place.Name}" : $"'header:{place.Name}:{place.Prefix}'",
        TokenLocationKind.Parameter => $"param:{place.Name}",
        _ => $"cookie:{place.Name}",
    };
}
