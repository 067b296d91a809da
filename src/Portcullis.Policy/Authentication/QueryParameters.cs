using System.Text;

namespace Portcullis.Policy.Authentication;

/// <summary>The pieces of a query between its ampersands (authentication.md §6.2), each cut at its first <c>=</c>.</summary>
internal ref struct QueryParameters(ReadOnlySpan<char> query)
{
    private readonly ReadOnlySpan<char> _query = query;
    private int _next;

    /// <summary>Start of the current piece in the query.</summary>
    public int Start { get; private set; }

    /// <summary>End of the current piece, exclusive.</summary>
    public int End { get; private set; }

    /// <summary>Start of the value; <see cref="End"/> for a piece without <c>=</c>.</summary>
    public int ValueStart { get; private set; }

    /// <summary>The name as written, still encoded.</summary>
    public ReadOnlySpan<char> Name { get; private set; }

    public bool MoveNext()
    {
        if (_next > _query.Length)
        {
            return false;
        }

        Start = _next;
        var length = _query[Start..].IndexOf('&');
        End = length < 0 ? _query.Length : Start + length;
        _next = End + 1;
        var piece = _query[Start..End];
        var equals = piece.IndexOf('=');
        Name = equals < 0 ? piece : piece[..equals];
        ValueStart = equals < 0 ? End : Start + equals + 1;
        return true;
    }

    /// <summary>
    /// Cuts every parameter of a decoded name out of the query's own text. What stays is neither decoded nor reordered: a backend reads it as it would have
    /// read the original, and an encoded <c>&amp;</c> does not become a real one.
    /// </summary>
    /// <param name="query">The query without <c>?</c>.</param>
    /// <param name="name">As <see cref="LookupKey"/> gives it.</param>
    /// <param name="keepFirst">Leaves the first, which is the one that was verified.</param>
    /// <returns>The same instance when there was nothing to cut; <see langword="null"/> when nothing is left.</returns>
    public static string? Remove(string query, string name, bool keepFirst)
    {
        StringBuilder? rest = null;
        var copied = 0;
        var cutsLast = false;
        var buffer = new char[name.Length];
        var pieces = new QueryParameters(query);
        while (pieces.MoveNext())
        {
            if (!Is(pieces.Name, name, buffer))
            {
                continue;
            }

            if (keepFirst)
            {
                keepFirst = false;
                continue;
            }

            rest ??= new StringBuilder(query.Length);
            rest.Append(query, copied, pieces.Start - copied);
            copied = Math.Min(pieces.End + 1, query.Length);
            cutsLast = pieces.End == query.Length;
        }

        if (rest is null)
        {
            return query;
        }

        rest.Append(query, copied, query.Length - copied);
        if (cutsLast && rest is [.., '&'])
        {
            rest.Length--;
        }

        return rest.Length == 0 ? null : rest.ToString();
    }

    /// <summary>A parameter's name as it is looked up: its UTF-8 octets, each as the character of that number.</summary>
    public static string LookupKey(string name) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(name));

    private static bool Is(ReadOnlySpan<char> written, string name, Span<char> buffer) =>
        written.Contains('%')
            ? PercentEncoding.Decode(written, buffer) is >= 0 and var length && buffer[..length].SequenceEqual(name)
            : written.SequenceEqual(name);
}
