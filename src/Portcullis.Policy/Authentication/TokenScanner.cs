using System.Collections.Frozen;
using Portcullis.Matching;

namespace Portcullis.Policy.Authentication;

/// <summary>Collects the tokens of a request from every location that any rule reads, each location once, however many rules read it.</summary>
internal sealed class TokenScanner
{
    private const int StackLimit = 256;

    private readonly TokenLocation[] _headers;
    private readonly FrozenDictionary<string, TokenLocation> _parameters;
    private readonly FrozenDictionary<string, TokenLocation> _cookies;
    private readonly int _longestParameter;

    /// <param name="locations">Distinct, in the order of collection.</param>
    public TokenScanner(IReadOnlyCollection<TokenLocation> locations)
    {
        _headers = [.. locations.Where(l => l.Kind == TokenLocationKind.Header)];
        _parameters = locations.Where(l => l.Kind == TokenLocationKind.Parameter)
            .ToFrozenDictionary(l => QueryParameters.LookupKey(l.Name), StringComparer.Ordinal);
        _cookies = locations.Where(l => l.Kind == TokenLocationKind.Cookie).ToFrozenDictionary(l => l.Name, StringComparer.Ordinal);
        _longestParameter = _parameters.Keys.Select(k => k.Length).DefaultIfEmpty().Max();
    }

    public void Scan<TRequest>(ref readonly TRequest request, ref PresentedTokens tokens) where TRequest : struct, IRequestAttributes
    {
        foreach (var location in _headers)
        {
            var lines = request.GetHeader(location.Name);
            for (var i = 0; i < lines.Count; i++)
            {
                var line = lines[i];
                var start = HeaderToken.Start(line, location.Prefix);
                if (start >= 0)
                {
                    tokens.Add(new(location, line, start, line.Length));
                }
            }
        }

        if (_parameters.Count > 0 && request.Query is { } query)
        {
            ScanQuery(query, ref tokens);
        }

        if (_cookies.Count > 0)
        {
            var lines = request.GetHeader("cookie");
            for (var i = 0; i < lines.Count; i++)
            {
                ScanCookies(lines[i], ref tokens);
            }
        }
    }

    private void ScanQuery(string query, ref PresentedTokens tokens)
    {
        var lookup = _parameters.GetAlternateLookup<ReadOnlySpan<char>>();
        var buffer = _longestParameter <= StackLimit ? stackalloc char[StackLimit] : new char[_longestParameter];
        var pieces = new QueryParameters(query);
        while (pieces.MoveNext())
        {
            scoped var name = pieces.Name;
            if (name.Contains('%'))
            {
                var length = PercentEncoding.Decode(name, buffer);
                if (length < 0)
                {
                    continue;
                }

                name = buffer[..length];
            }

            if (lookup.TryGetValue(name, out var location))
            {
                tokens.AddFirstOf(Value(location, query, pieces.ValueStart, pieces.End));
            }
        }
    }

    private void ScanCookies(string line, ref PresentedTokens tokens)
    {
        var lookup = _cookies.GetAlternateLookup<ReadOnlySpan<char>>();
        var cookies = new Cookies(line);
        while (cookies.MoveNext())
        {
            if (lookup.TryGetValue(cookies.Name, out var location))
            {
                tokens.AddFirstOf(new(location, line, cookies.ValueStart, cookies.ValueEnd));
            }
        }
    }

    private static PresentedToken Value(TokenLocation location, string query, int start, int end)
    {
        var written = query.AsSpan(start, end - start);
        if (!written.Contains('%'))
        {
            return new(location, query, start, end);
        }

        // Decoding never lengthens; no token of ours has an escape, so this is the rare path.
        var buffer = new char[written.Length];
        var decoded = new string(buffer, 0, PercentEncoding.Decode(written, buffer));
        return new(location, decoded, 0, decoded.Length);
    }
}
