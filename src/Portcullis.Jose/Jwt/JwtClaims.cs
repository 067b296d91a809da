using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>The registered claims (RFC 7519 §4.1) with their types checked, in Envoy's order.</summary>
internal readonly struct JwtClaims
{
    public required JsonElement Json { get; init; }

    public required string? Issuer { get; init; }

    public required string? Subject { get; init; }

    public required string? JwtId { get; init; }

    public required ImmutableArray<string> Audiences { get; init; }

    public required ulong? IssuedAt { get; init; }

    public required ulong? NotBefore { get; init; }

    public required ulong? ExpiresAt { get; init; }

    public static JwtStatus TryParse(ReadOnlySpan<char> segment, out JwtClaims claims)
    {
        claims = default;
        switch (JwsHeader.TryParseObject(segment, out var json))
        {
            case SegmentStatus.BadBase64: return JwtStatus.PayloadBadBase64;
            case SegmentStatus.BadJson: return JwtStatus.PayloadBadJson;
        }

        var issuer = StrictJson.GetString(json, "iss"u8, out var isString);
        if (!isString)
        {
            return JwtStatus.IssuerNotString;
        }

        var subject = StrictJson.GetString(json, "sub"u8, out isString);
        if (!isString)
        {
            return JwtStatus.SubjectNotString;
        }

        var status = ReadTime(json, "iat"u8, JwtStatus.IssuedAtNotInteger, JwtStatus.IssuedAtOutOfRange, out var issuedAt);
        if (status == JwtStatus.Ok)
        {
            status = ReadTime(json, "nbf"u8, JwtStatus.NotBeforeNotInteger, JwtStatus.NotBeforeOutOfRange, out var notBefore);
            if (status == JwtStatus.Ok)
            {
                status = ReadTime(json, "exp"u8, JwtStatus.ExpirationNotInteger, JwtStatus.ExpirationOutOfRange, out var expiresAt);
                if (status == JwtStatus.Ok)
                {
                    return ReadRest(json, issuer, subject, issuedAt, notBefore, expiresAt, out claims);
                }
            }
        }

        return status;
    }

    private static JwtStatus ReadRest(
        JsonElement json, string? issuer, string? subject, ulong? issuedAt, ulong? notBefore, ulong? expiresAt, out JwtClaims claims)
    {
        claims = default;
        var jwtId = StrictJson.GetString(json, "jti"u8, out var isString);
        if (!isString)
        {
            return JwtStatus.JwtIdNotString;
        }

        if (!TryReadAudiences(json, out var audiences))
        {
            return JwtStatus.AudienceNotString;
        }

        claims = new()
        {
            Json = json,
            Issuer = issuer,
            Subject = subject,
            JwtId = jwtId,
            Audiences = audiences,
            IssuedAt = issuedAt,
            NotBefore = notBefore,
            ExpiresAt = expiresAt,
        };
        return JwtStatus.Ok;
    }

    /// <summary>Numbers are doubles, as in Envoy: above 2^53 they lose precision, fractions are cut off towards zero.</summary>
    private static JwtStatus ReadTime(JsonElement json, ReadOnlySpan<byte> name, JwtStatus wrongType, JwtStatus outOfRange, out ulong? value)
    {
        value = null;
        if (!json.TryGetProperty(name, out var member))
        {
            return JwtStatus.Ok;
        }

        if (member.ValueKind != JsonValueKind.Number)
        {
            return wrongType;
        }

        const double TwoTo64 = 18446744073709551616.0;
        if (!member.TryGetDouble(out var number) || number is not (>= 0 and < TwoTo64))
        {
            return outOfRange;
        }

        value = (ulong)number;
        return JwtStatus.Ok;
    }

    private static bool TryReadAudiences(JsonElement json, out ImmutableArray<string> audiences)
    {
        audiences = [];
        if (!json.TryGetProperty("aud"u8, out var member))
        {
            return true;
        }

        if (member.ValueKind == JsonValueKind.String)
        {
            audiences = [member.GetString()!];
            return true;
        }

        if (member.ValueKind != JsonValueKind.Array)
        {
            return false;
        }

        var list = new string[member.GetArrayLength()];
        var count = 0;
        foreach (var item in member.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                return false;
            }

            list[count++] = item.GetString()!;
        }

        audiences = ImmutableCollectionsMarshal.AsImmutableArray(list);
        return true;
    }
}
