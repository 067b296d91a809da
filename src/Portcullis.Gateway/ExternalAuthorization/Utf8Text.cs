using System.Buffers;
using System.Text;

namespace Portcullis.Gateway.ExternalAuthorization;

/// <summary>Text that any protobuf reader takes (CVE-2023-27488). As in Envoy, <c>!</c> stands for each byte that is not UTF-8.</summary>
internal static class Utf8Text
{
    private const char Replacement = '!';

    /// <summary>Decodes bytes.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var consumed) == OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                text.Append(Replacement, consumed);
            }

            bytes = bytes[consumed..];
        }

        return text.ToString();
    }

    /// <summary>Replaces halves of surrogate pairs that stand alone.</summary>
    public static string Sanitize(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        StringBuilder? sane = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                sane ??= new StringBuilder(text);
                sane[i] = Replacement;
            }
        }

        return sane?.ToString() ?? text;
    }
}
