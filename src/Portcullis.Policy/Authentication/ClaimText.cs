using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Portcullis.Policy.Authentication;

/// <summary>A claim as the value of a header (authentication.md §10.2).</summary>
internal static class ClaimText
{
    private const double TwoTo64 = 18446744073709551616.0;

    private static readonly SearchValues<char> NotInHeaders = SearchValues.Create("\r\n\0");

    /// <summary>Non-ASCII text stays readable; the JSON is wrapped in base64 and never part of a page.</summary>
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns><see langword="null"/> when there is nothing to put into a header: null, an empty string, one that would break the header, a number out of range.</returns>
    public static string? Of(JsonElement claim) => claim.ValueKind switch
    {
        JsonValueKind.String => claim.GetString() is { Length: > 0 } text && !text.AsSpan().ContainsAny(NotInHeaders) ? text : null,
        JsonValueKind.Number => Number(claim),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Object or JsonValueKind.Array => Json(claim),
        _ => null,
    };

    /// <summary>Numbers are doubles: whole ones from 0 up are printed whole, all others with six decimals, as C prints <c>%f</c>.</summary>
    private static string? Number(JsonElement claim)
    {
        if (!claim.TryGetDouble(out var number) || !double.IsFinite(number))
        {
            return null;
        }

        if (number is >= 0 and < TwoTo64 && double.IsInteger(number))
        {
            return ((ulong)number).ToString(CultureInfo.InvariantCulture);
        }

        // Only a multiple of 1/128 can lie exactly between two six-decimal numbers; C rounds those to the even one.
        const double FitsDecimal = 1e15;
        return Math.Abs(number) < FitsDecimal && double.IsInteger(number * 128)
            ? Math.Round((decimal)(number * 128) / 128m, 6, MidpointRounding.ToEven).ToString("F6", CultureInfo.InvariantCulture)
            : number.ToString("F6", CultureInfo.InvariantCulture);
    }

    private static string Json(JsonElement claim)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            claim.WriteTo(writer);
        }

        return Convert.ToBase64String(buffer.WrittenSpan);
    }
}
