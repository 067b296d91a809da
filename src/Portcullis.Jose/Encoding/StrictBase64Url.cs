using System.Buffers;
using System.Buffers.Text;

namespace Portcullis.Jose;

/// <summary>
/// Base64url as RFC 7515 §2 has it: no padding, no white space, and (RFC 4648 §3.5) unused bits zero, so that every octet string has one
/// spelling only and a signature cannot be rewritten into another one that verifies too.
/// </summary>
internal static class StrictBase64Url
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private static readonly SearchValues<char> Allowed = SearchValues.Create(Alphabet);

    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.Length % 4 == 1 || text.ContainsAnyExcept(Allowed))
        {
            return false;
        }

        var unusedBits = (text.Length % 4) switch { 2 => 0x0F, 3 => 0x03, _ => 0 };
        return unusedBits == 0 || (Alphabet.IndexOf(text[^1], StringComparison.Ordinal) & unusedBits) == 0;
    }

    /// <summary>Octets that a valid text of this length stands for.</summary>
    public static int DecodedLength(int textLength) => (int)((long)textLength * 3 / 4);

    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written)
    {
        written = 0;
        return IsValid(text) && Base64Url.TryDecodeFromChars(text, destination, out written);
    }

    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        if (!IsValid(text))
        {
            return null;
        }

        var bytes = new byte[DecodedLength(text.Length)];
        return Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == bytes.Length ? bytes : null;
    }

    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
