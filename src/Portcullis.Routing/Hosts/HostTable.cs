using System.Collections.Frozen;

namespace Portcullis.Routing;

/// <summary>Values by host: exact, then the longest <c>*suffix</c>, then <c>*</c> (routing.md §2.3). No allocation to look up.</summary>
internal sealed class HostTable<T> where T : class
{
    /// <summary>Longer names can only be matched by a suffix: DNS names end at 253.</summary>
    private const int LongestName = 255;

    private readonly FrozenDictionary<string, T>.AlternateLookup<ReadOnlySpan<char>> _exact;
    private readonly FrozenDictionary<string, T>.AlternateLookup<ReadOnlySpan<char>> _suffixes;
    private readonly bool[] _suffixLengths = new bool[LongestName + 1];
    private readonly T? _any;

    /// <param name="entries">Keys in lower case; the first of equal keys stays.</param>
    public HostTable(IEnumerable<KeyValuePair<string, T>> entries)
    {
        var exact = new Dictionary<string, T>(StringComparer.Ordinal);
        var suffixes = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var (host, value) in entries)
        {
            if (host == HostName.Any)
            {
                _any ??= value;
            }
            else if (!HostName.IsWildcard(host))
            {
                exact.TryAdd(host, value);
            }
            else if (host.Length - 1 <= LongestName)
            {
                suffixes.TryAdd(host[1..], value);
                _suffixLengths[host.Length - 1] = true;
            }
        }

        _exact = exact.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        _suffixes = suffixes.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <param name="host">Without port; any case.</param>
    public T? Find(ReadOnlySpan<char> host)
    {
        Span<char> buffer = stackalloc char[LongestName];
        var tail = host.Length > LongestName ? host[^LongestName..] : host;
        var lower = buffer[..tail.Length];
        tail.ToLowerInvariant(lower);
        if (tail.Length == host.Length && _exact.TryGetValue(lower, out var found))
        {
            return found;
        }

        // A suffix never is the whole name; what a long name's tail leaves out makes up for its first character.
        for (var start = tail.Length == host.Length ? 1 : 0; start < lower.Length; start++)
        {
            if (_suffixLengths[lower.Length - start] && _suffixes.TryGetValue(lower[start..], out found))
            {
                return found;
            }
        }

        return _any;
    }
}
