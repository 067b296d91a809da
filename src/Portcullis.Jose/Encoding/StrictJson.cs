using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Portcullis.Jose;

/// <summary>
/// One JSON object in UTF-8 and nothing around it. Two readers of a token must not see different values in it, so what parsers are known
/// to read differently is refused: duplicate members (RFC 7519 §4), trailing text, byte order marks, invalid UTF-8, lone surrogates.
/// </summary>
internal static class StrictJson
{
    /// <summary>Objects and arrays inside each other.</summary>
    public const int MaxDepth = 64;

    private static readonly JsonDocumentOptions Options = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        MaxDepth = MaxDepth,
    };

    private static readonly UTF8Encoding Utf8Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool TryParseObject(ReadOnlySpan<byte> utf8, out JsonElement json)
    {
        json = default;
        if (!Utf8.IsValid(utf8) || HasLoneSurrogate(utf8))
        {
            return false;
        }

        try
        {
            json = JsonElement.Parse(utf8, Options);
        }
        catch (JsonException)
        {
            return false;
        }

        return json.ValueKind == JsonValueKind.Object;
    }

    public static bool TryParseObject(string text, out JsonElement json)
    {
        try
        {
            return TryParseObject(Utf8Strict.GetBytes(text), out json);
        }
        catch (EncoderFallbackException)
        {
            json = default;
            return false;
        }
    }

    /// <summary>An absent member is null; one that is no string leaves <paramref name="isString"/> false.</summary>
    public static string? GetString(JsonElement json, ReadOnlySpan<byte> name, out bool isString)
    {
        isString = true;
        if (!json.TryGetProperty(name, out var member))
        {
            return null;
        }

        isString = member.ValueKind == JsonValueKind.String;
        return isString ? member.GetString() : null;
    }

    /// <summary>Escapes that name half of a pair: no text has them, and reading such a string would throw later.</summary>
    private static bool HasLoneSurrogate(ReadOnlySpan<byte> utf8)
    {
        for (var i = utf8.IndexOf((byte)'\\'); i >= 0 && i + 1 < utf8.Length;)
        {
            var unit = UnitAt(utf8, i);
            if (char.IsHighSurrogate(unit))
            {
                if (!char.IsLowSurrogate(UnitAt(utf8, i + 6)))
                {
                    return true;
                }

                i += 12;
            }
            else if (char.IsLowSurrogate(unit))
            {
                return true;
            }
            else
            {
                i += 2;
            }

            var next = i < utf8.Length ? utf8[i..].IndexOf((byte)'\\') : -1;
            i = next < 0 ? -1 : i + next;
        }

        return false;
    }

    /// <summary>The UTF-16 unit of the <c>\uXXXX</c> at an index, or U+0000 for anything else: the parser judges the rest.</summary>
    private static char UnitAt(ReadOnlySpan<byte> utf8, int index) =>
        index + 6 <= utf8.Length && utf8[index] == '\\' && utf8[index + 1] == 'u'
            && ushort.TryParse(utf8.Slice(index + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : '\0';
}
