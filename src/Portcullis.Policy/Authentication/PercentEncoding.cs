namespace Portcullis.Policy.Authentication;

/// <summary>
/// Percent-decoding as Envoy reads query parameters: <c>%XX</c> is an octet, anything else stays as it is, <c>+</c> too.
/// Octets become characters of the same number, which keeps every comparison one of octets.
/// </summary>
internal static class PercentEncoding
{
    /// <summary>Decodes into <paramref name="destination"/>.</summary>
    /// <returns>The length; -1 when the destination is too short.</returns>
    public static int Decode(ReadOnlySpan<char> text, Span<char> destination)
    {
        var written = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (written == destination.Length)
            {
                return -1;
            }

            var c = text[i];
            if (c == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                c = (char)((Digit(text[i + 1]) << 4) | Digit(text[i + 2]));
                i += 2;
            }

            destination[written++] = c;
        }

        return written;
    }

    private static int Digit(char c) => char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}
