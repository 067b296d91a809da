namespace Portcullis.Routing;

/// <summary>Raw query parameters: nothing is percent-decoded, <c>k</c> and <c>k=</c> are the same (routing.md §2.4).</summary>
internal static class QueryString
{
    /// <summary>The first value of a parameter.</summary>
    public static bool TryGetFirst(ReadOnlySpan<char> query, ReadOnlySpan<char> name, out ReadOnlySpan<char> value)
    {
        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            var equals = pair.IndexOf('=');
            var key = equals < 0 ? pair : pair[..equals];
            if (key.SequenceEqual(name) && !pair.IsEmpty)
            {
                value = equals < 0 ? [] : pair[(equals + 1)..];
                return true;
            }
        }

        value = [];
        return false;
    }
}
