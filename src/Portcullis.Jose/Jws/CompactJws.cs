namespace Portcullis.Jose;

/// <summary>Whether a compact JWS verified, and why not.</summary>
/// <param name="IsValid">True only if a key of the set verified the signature.</param>
/// <param name="Reason"><c>OK</c>, or what is wrong: one of the texts of <see cref="JwtStatus"/> where one fits.</param>
public readonly record struct JwsVerification(bool IsValid, string Reason);

/// <summary>Compact JWS over any octets (RFC 7515 §5.2), with the strictness of <see cref="JsonWebToken"/> but without its claims.</summary>
public static class CompactJws
{
    /// <summary>Longest JWS that is looked at, in characters: 1 MiB.</summary>
    public const int MaxLength = 1024 * 1024;

    /// <summary>Verifies a JWS. Nothing in <paramref name="jws"/> makes this throw.</summary>
    /// <param name="jws">Header, payload and signature in base64url, between two dots; only the payload may be empty.</param>
    /// <param name="keys">The keys that are trusted. Keys that the header brings or points to are not.</param>
    public static JwsVerification Verify(string jws, JsonWebKeySet keys)
    {
        ArgumentNullException.ThrowIfNull(jws);
        ArgumentNullException.ThrowIfNull(keys);
        if (jws.Length > MaxLength)
        {
            return new(false, $"JWS is longer than {MaxLength} characters");
        }

        if (!JwsHeader.TrySplit(jws, out var firstDot, out var secondDot) || firstDot == 0 || secondDot == jws.Length - 1)
        {
            return Fail(JwtStatus.BadFormat);
        }

        var status = JwsHeader.TryParse(jws.AsSpan(0, firstDot), out var header);
        if (status != JwtStatus.Ok)
        {
            return Fail(status);
        }

        if (!StrictBase64Url.IsValid(jws.AsSpan((firstDot + 1)..secondDot)))
        {
            return Fail(JwtStatus.PayloadBadBase64);
        }

        if (StrictBase64Url.Decode(jws.AsSpan(secondDot + 1)) is not { } signature)
        {
            return Fail(JwtStatus.SignatureBadBase64);
        }

        if (header.IsCritical)
        {
            return new(false, "header [crit] asks for an extension that is not supported");
        }

        if (!keys.IsUsable)
        {
            return new(false, $"{JwtStatus.NoValidKeys.Message}: {keys.Status.Message}");
        }

        status = SignatureVerifier.Verify(keys, header.Algorithm, header.KeyId, jws.AsSpan(0, secondDot), signature);
        return status == JwtStatus.Ok ? new(true, status.Message) : Fail(status);
    }

    private static JwsVerification Fail(JwtStatus status) => new(false, status.Message);
}
