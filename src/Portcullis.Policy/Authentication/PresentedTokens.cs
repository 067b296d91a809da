using System.Diagnostics.CodeAnalysis;

namespace Portcullis.Policy.Authentication;

/// <summary>A token as it stands in the request: a piece of a header line, of the query or of a cookie line.</summary>
internal readonly struct PresentedToken(TokenLocation location, string source, int start, int end)
{
    public TokenLocation Location { get; } = location;

    public ReadOnlySpan<char> Text => source.AsSpan(start, end - start);

    public override string ToString() => start == 0 && end == source.Length ? source : source[start..end];
}

/// <summary>The tokens of one request in the order of collection. The first needs no allocation.</summary>
internal struct PresentedTokens
{
    private PresentedToken _first;
    private PresentedToken[]? _all;

    public int Count { get; private set; }

    [UnscopedRef]
    public readonly ReadOnlySpan<PresentedToken> Span => _all is null ? new ReadOnlySpan<PresentedToken>(in _first) : _all.AsSpan(0, Count);

    public void Add(PresentedToken token)
    {
        if (Count == 0)
        {
            _first = token;
        }
        else
        {
            _all ??= [_first, default, default, default];
            if (Count == _all.Length)
            {
                Array.Resize(ref _all, Count * 2);
            }

            _all[Count] = token;
        }

        Count++;
    }

    /// <summary>Adds a token of a location that counts once, keeping the order of collection; a second one of the location is dropped.</summary>
    public void AddFirstOf(PresentedToken token)
    {
        var at = Count;
        for (; at > 0; at--)
        {
            var before = Count == 1 ? _first.Location.Index : _all![at - 1].Location.Index;
            if (before == token.Location.Index)
            {
                return;
            }

            if (before < token.Location.Index)
            {
                break;
            }
        }

        Add(token);
        if (at < Count - 1)
        {
            _all.AsSpan(at, Count - 1 - at).CopyTo(_all.AsSpan(at + 1));
            _all![at] = token;
        }
    }
}
