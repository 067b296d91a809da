using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Portcullis.Jose;

/// <summary>
/// The audiences that a rule accepts (<c>jwtRules[].audiences</c>). Both sides lose one leading <c>http://</c> or <c>https://</c> (lower
/// case only) and then one trailing <c>/</c>, and are compared exactly, as Envoy does.
/// </summary>
public sealed class AudienceSet
{
    private readonly FrozenSet<string> _allowed;
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>Compiles a rule's list; an empty list accepts every token, one without audience too.</summary>
    public AudienceSet(IEnumerable<string> allowed)
    {
        _allowed = allowed.Select(a => Clean(a).ToString()).ToFrozenSet(StringComparer.Ordinal);
        _lookup = _allowed.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>True if one of the token's audiences is allowed. A token without any is refused unless everything is allowed.</summary>
    public bool Accepts(ImmutableArray<string> tokenAudiences)
    {
        if (_allowed.Count == 0)
        {
            return true;
        }

        foreach (var audience in tokenAudiences)
        {
            if (_lookup.Contains(Clean(audience)))
            {
                return true;
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> Clean(ReadOnlySpan<char> audience)
    {
        if (audience.StartsWith("http://", StringComparison.Ordinal))
        {
            audience = audience["http://".Length..];
        }
        else if (audience.StartsWith("https://", StringComparison.Ordinal))
        {
            audience = audience["https://".Length..];
        }

        return audience is [.. var rest, '/'] ? rest : audience;
    }
}
