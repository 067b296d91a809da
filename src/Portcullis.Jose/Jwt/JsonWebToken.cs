using System.Collections.Immutable;
using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>
/// A JWT in compact form (RFC 7519) that has been read but not believed: nothing in it may be used for a decision before
/// <see cref="VerifySignature"/> said <see cref="JwtStatus.Ok"/>, save to find the rule and the keys to verify it with.
/// </summary>
/// <remarks>Immutable and safe for concurrent use. <see cref="ToString"/> shows no part of the token.</remarks>
public sealed class JsonWebToken
{
    /// <summary>Longest token that is looked at, in characters: 64 KiB, as much as a whole request head may be.</summary>
    public const int MaxLength = 64 * 1024;

    private readonly string _token;
    private readonly int _firstDot;
    private readonly int _secondDot;
    private readonly JwsHeader _header;
    private readonly byte[] _signature;
    private string? _payloadSegment;

    private JsonWebToken(string token, int firstDot, int secondDot, JwsHeader header, JwtClaims claims, byte[] signature)
    {
        _token = token;
        _firstDot = firstDot;
        _secondDot = secondDot;
        _header = header;
        _signature = signature;
        Payload = claims.Json;
        Type = StrictJson.GetString(header.Json, "typ"u8, out _);
        Issuer = claims.Issuer;
        Subject = claims.Subject;
        JwtId = claims.JwtId;
        Audiences = claims.Audiences;
        ExpiresAt = claims.ExpiresAt;
        NotBefore = claims.NotBefore;
        IssuedAt = claims.IssuedAt;
    }

    /// <summary>The header's <c>alg</c>.</summary>
    public JwsAlgorithm Algorithm => _header.Algorithm;

    /// <summary>The header's <c>kid</c>; null if absent.</summary>
    public string? KeyId => _header.KeyId;

    /// <summary>The header's <c>typ</c>; null if absent or no string. Nothing depends on it.</summary>
    public string? Type { get; }

    /// <summary>The header, an object. It stays valid for as long as it is held.</summary>
    public JsonElement Header => _header.Json;

    /// <summary>The claims, an object. It stays valid for as long as it is held.</summary>
    public JsonElement Payload { get; }

    /// <summary>The middle segment as it stands in the token (for <c>outputPayloadToHeader</c>).</summary>
    public string PayloadSegment => _payloadSegment ??= _token[(_firstDot + 1).._secondDot];

    /// <summary>The <c>iss</c> claim; null if absent.</summary>
    public string? Issuer { get; }

    /// <summary>The <c>sub</c> claim; null if absent.</summary>
    public string? Subject { get; }

    /// <summary>The <c>jti</c> claim; null if absent.</summary>
    public string? JwtId { get; }

    /// <summary>The <c>aud</c> claim, one string or many; empty if absent.</summary>
    public ImmutableArray<string> Audiences { get; }

    /// <summary>The <c>exp</c> claim in seconds since 1970, fractions cut off. Null (absent) and 0 both mean that the token never expires.</summary>
    public ulong? ExpiresAt { get; }

    /// <summary>The <c>nbf</c> claim in seconds since 1970, fractions cut off; null if absent.</summary>
    public ulong? NotBefore { get; }

    /// <summary>The <c>iat</c> claim in seconds since 1970, fractions cut off; null if absent. No check depends on its value.</summary>
    public ulong? IssuedAt { get; }

    /// <summary>Reads a token: format, header, claims and signature encoding, in Envoy's order. No token makes this throw.</summary>
    /// <param name="token">The token without its <c>Bearer</c> prefix or any white space.</param>
    /// <param name="jwt">The token read; null unless the result is <see cref="JwtStatus.Ok"/>.</param>
    /// <returns>The first check that failed.</returns>
    public static JwtStatus TryParse(string token, out JsonWebToken? jwt)
    {
        ArgumentNullException.ThrowIfNull(token);
        jwt = null;
        if (token.Length > MaxLength || !JwsHeader.TrySplit(token, out var firstDot, out var secondDot)
            || firstDot == 0 || secondDot == firstDot + 1 || secondDot == token.Length - 1)
        {
            return JwtStatus.BadFormat;
        }

        var status = JwsHeader.TryParse(token.AsSpan(0, firstDot), out var header);
        if (status != JwtStatus.Ok)
        {
            return status;
        }

        status = JwtClaims.TryParse(token.AsSpan((firstDot + 1)..secondDot), out var claims);
        if (status != JwtStatus.Ok)
        {
            return status;
        }

        if (StrictBase64Url.Decode(token.AsSpan(secondDot + 1)) is not { } signature)
        {
            return JwtStatus.SignatureBadBase64;
        }

        jwt = new(token, firstDot, secondDot, header, claims, signature);
        return JwtStatus.Ok;
    }

    /// <summary>Checks <c>nbf</c> and then <c>exp</c> (RFC 7519 §4.1.4, §4.1.5).</summary>
    /// <param name="now">Compared in whole seconds, fractions cut off.</param>
    /// <param name="clockSkew">Allowed either way, its end included: at <c>exp</c> + skew the token still passes. Whole seconds.</param>
    /// <returns><see cref="JwtStatus.Ok"/>, <see cref="JwtStatus.NotYetValid"/> or <see cref="JwtStatus.Expired"/>.</returns>
    public JwtStatus CheckLifetime(DateTimeOffset now, TimeSpan clockSkew)
    {
        // In 128 bits, since `exp` may be any number below 2^64.
        Int128 time = now.ToUnixTimeSeconds();
        Int128 skew = (long)clockSkew.TotalSeconds;
        if (NotBefore is { } notBefore && time + skew < notBefore)
        {
            return JwtStatus.NotYetValid;
        }

        return ExpiresAt is { } expiresAt and not 0 && time > expiresAt + skew ? JwtStatus.Expired : JwtStatus.Ok;
    }

    /// <summary>Verifies the signature with the keys of a set that fit the token's <c>kid</c> and <c>alg</c>.</summary>
    /// <returns>
    /// <see cref="JwtStatus.Ok"/>, <see cref="JwtStatus.NoValidKeys"/>, <see cref="JwtStatus.KeyIdAlgorithmMismatch"/>,
    /// <see cref="JwtStatus.Ed25519SignatureWrongLength"/>, or <see cref="JwtStatus.VerificationFailed"/>, which a header with
    /// <c>crit</c> always gets (RFC 7515 §4.1.11).
    /// </returns>
    public JwtStatus VerifySignature(JsonWebKeySet keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var status = SignatureVerifier.Verify(keys, Algorithm, KeyId, _token.AsSpan(0, _secondDot), _signature);
        return status == JwtStatus.Ok && _header.IsCritical ? JwtStatus.VerificationFailed : status;
    }

    /// <summary>What it is, and nothing of what is in it: tokens are secrets.</summary>
    public override string ToString() => $"{Algorithm.Name} token";
}
