using System.Buffers;

namespace Portcullis.Policy.Authentication;

/// <summary>A token in a header line (authentication.md §6.1).</summary>
internal static class HeaderToken
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>
    /// Where the token of a line starts; it runs to the end of the line. The prefix may stand anywhere; when no character of a token follows it, the whole line is
    /// the token, and fails as one.
    /// </summary>
    /// <returns>-1 when the line has no token.</returns>
    public static int Start(ReadOnlySpan<char> line, string prefix)
    {
        if (prefix.Length == 0)
        {
            return 0;
        }

        var at = line.IndexOf(prefix, StringComparison.Ordinal);
        if (at < 0)
        {
            return -1;
        }

        var after = at + prefix.Length;
        var token = line[after..].IndexOfAny(TokenCharacters);
        return token < 0 ? 0 : after + token;
    }
}
