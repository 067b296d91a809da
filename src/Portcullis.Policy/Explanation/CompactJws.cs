using System.Buffers;
using System.Text;

namespace Portcullis.Policy.Explanation;

/// <summary>
/// Finds what looks like a compact JWS (RFC 7515 §3.1) in any text: base64url of a JSON object, which begins with <c>ey</c> (<c>{"</c>, <c>{ </c>) or <c>ew</c>
/// (<c>{</c> and a line break), a dot, and one or two more pieces. Goes over the text once, whatever a client wrote.
/// </summary>
internal static class CompactJws
{
    /// <summary>A header with an algorithm is longer; so short a piece is a word.</summary>
    private const int MinimumPiece = 8;

    private const int MorePieces = 2;

    private static readonly SearchValues<char> Base64Url =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Whether there is one.</summary>
    public static bool IsIn(ReadOnlySpan<char> text) => TryFind(text, out _, out _);

    /// <summary>The text with each one replaced.</summary>
    public static string Replace(string text, string replacement)
    {
        var rest = text.AsSpan();
        if (!TryFind(rest, out var start, out var end))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        do
        {
            result.Append(rest[..start]).Append(replacement);
            rest = rest[end..];
        }
        while (TryFind(rest, out start, out end));
        return result.Append(rest).ToString();
    }

    private static bool TryFind(ReadOnlySpan<char> text, out int start, out int end)
    {
        for (var piece = 0; piece < text.Length;)
        {
            var pieceEnd = EndOfPiece(text, piece);
            if (pieceEnd < text.Length && text[pieceEnd] == '.' && TryFindBeginning(text[piece..pieceEnd], out var offset))
            {
                start = piece + offset;
                end = pieceEnd;
                for (var i = 0; i < MorePieces && end < text.Length && text[end] == '.'; i++)
                {
                    end = EndOfPiece(text, end + 1);
                }

                return true;
            }

            piece = pieceEnd + 1;
        }

        start = end = 0;
        return false;
    }

    private static bool TryFindBeginning(ReadOnlySpan<char> piece, out int offset)
    {
        for (offset = 0; offset + MinimumPiece <= piece.Length; offset++)
        {
            if (piece[offset] == 'e' && piece[offset + 1] is 'y' or 'w')
            {
                return true;
            }
        }

        return false;
    }

    private static int EndOfPiece(ReadOnlySpan<char> text, int start)
    {
        var length = text[start..].IndexOfAnyExcept(Base64Url);
        return length < 0 ? text.Length : start + length;
    }
}
