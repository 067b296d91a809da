using System.Buffers;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>
/// The three segments of a compact JWS and its protected header (RFC 7515 §7.1), before anything is believed. <c>jwk</c>, <c>jku</c>,
/// <c>x5u</c> and <c>x5c</c> are never looked at: which key is trusted is not for the token to say.
/// </summary>
internal readonly struct JwsHeader
{
    private JwsHeader(JsonElement json, JwsAlgorithm algorithm, string? keyId)
    {
        Json = json;
        Algorithm = algorithm;
        KeyId = keyId;
        IsCritical = json.TryGetProperty("crit"u8, out _);
    }

    public JsonElement Json { get; }

    public JwsAlgorithm Algorithm { get; }

    public string? KeyId { get; }

    /// <summary>We implement no extension, so whatever <c>crit</c> names (RFC 7515 §4.1.11), the signature must not count.</summary>
    public bool IsCritical { get; }

    /// <summary>Finds the two dots; false for any other number of them. Whether segments may be empty is the caller's rule.</summary>
    public static bool TrySplit(ReadOnlySpan<char> token, out int firstDot, out int secondDot)
    {
        firstDot = token.IndexOf('.');
        secondDot = token.LastIndexOf('.');
        return firstDot >= 0 && secondDot > firstDot && token[(firstDot + 1)..secondDot].IndexOf('.') < 0;
    }

    public static JwtStatus TryParse(ReadOnlySpan<char> segment, out JwsHeader header)
    {
        header = default;
        var status = TryParseObject(segment, out var json);
        if (status != SegmentStatus.Ok)
        {
            return status == SegmentStatus.BadBase64 ? JwtStatus.HeaderBadBase64 : JwtStatus.HeaderBadJson;
        }

        var name = StrictJson.GetString(json, "alg"u8, out _);
        if (name is null)
        {
            return JwtStatus.HeaderBadAlgorithm;
        }

        if (!JwsAlgorithms.TryParse(name, out var algorithm))
        {
            return JwtStatus.HeaderUnsupportedAlgorithm;
        }

        var keyId = StrictJson.GetString(json, "kid"u8, out var isString);
        if (!isString)
        {
            return JwtStatus.HeaderBadKeyId;
        }

        header = new(json, algorithm, keyId);
        return JwtStatus.Ok;
    }

    public static SegmentStatus TryParseObject(ReadOnlySpan<char> segment, out JsonElement json)
    {
        json = default;
        var buffer = ArrayPool<byte>.Shared.Rent(StrictBase64Url.DecodedLength(segment.Length));
        var written = 0;
        try
        {
            if (!StrictBase64Url.TryDecode(segment, buffer, out written))
            {
                return SegmentStatus.BadBase64;
            }

            return StrictJson.TryParseObject(buffer.AsSpan(0, written), out json) ? SegmentStatus.Ok : SegmentStatus.BadJson;
        }
        finally
        {
            buffer.AsSpan(0, written).Clear();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

internal enum SegmentStatus
{
    Ok,
    BadBase64,
    BadJson,
}
