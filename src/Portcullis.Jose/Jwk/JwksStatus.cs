using System.Diagnostics;

namespace Portcullis.Jose;

/// <summary>What is wrong with a key, or with a set of them. For logs and validation; a request only ever hears of <see cref="JwtStatus"/>.</summary>
public enum JwksStatus
{
    /// <summary>The key, or at least one key of the set, can be used.</summary>
    Ok,

    /// <summary>The set has no key at all.</summary>
    NoValidKeys,

    /// <summary>Not one JSON object (RFC 7517 §5).</summary>
    ParseError,

    /// <summary>No <c>keys</c>, and no map of key ids to certificates either.</summary>
    NoKeys,

    /// <summary><c>keys</c> is no list.</summary>
    BadKeys,

    /// <summary>The set is longer than <see cref="JsonWebKeySet.MaxLength"/>.</summary>
    TooLong,

    /// <summary>A key past the first <see cref="JsonWebKeySet.MaxKeys"/>.</summary>
    TooManyKeys,

    /// <summary><c>kty</c> is absent.</summary>
    KeyTypeMissing,

    /// <summary><c>kty</c> is no string.</summary>
    KeyTypeBad,

    /// <summary><c>kty</c> is none of <c>RSA</c>, <c>EC</c>, <c>oct</c>, <c>OKP</c>.</summary>
    KeyTypeUnsupported,

    /// <summary><c>use</c> is there and not <c>sig</c>.</summary>
    UseNotSignature,

    /// <summary><c>key_ops</c> is there without <c>verify</c>.</summary>
    OperationsWithoutVerify,

    /// <summary><c>alg</c> of an RSA key is not of RSA.</summary>
    RsaBadAlgorithm,

    /// <summary>An RSA key without <c>n</c>.</summary>
    RsaModulusMissing,

    /// <summary><c>n</c> of an RSA key is no string.</summary>
    RsaModulusBad,

    /// <summary>An RSA key without <c>e</c>.</summary>
    RsaExponentMissing,

    /// <summary><c>e</c> of an RSA key is no string.</summary>
    RsaExponentBad,

    /// <summary><c>n</c> or <c>e</c> cannot be those of an RSA key; <c>e</c> must be 3 or 65537.</summary>
    RsaParseError,

    /// <summary>The modulus has fewer than 2048 bits (RFC 7518 §3.3).</summary>
    RsaTooSmall,

    /// <summary>The modulus has more than 8192 bits: verifying would cost too much.</summary>
    RsaTooLarge,

    /// <summary>The modulus has the mark of keys that a faulty chip made and anybody can factor (CVE-2017-15361).</summary>
    RsaFactorable,

    /// <summary><c>alg</c> of an EC key is not of ECDSA.</summary>
    ECBadAlgorithm,

    /// <summary><c>crv</c> of an EC key is no string.</summary>
    ECCurveBad,

    /// <summary><c>crv</c> or <c>alg</c> is none of the three that are supported.</summary>
    ECCurveUnsupported,

    /// <summary><c>alg</c> belongs to another curve than <c>crv</c>.</summary>
    ECCurveNotOfAlgorithm,

    /// <summary>An EC key without <c>x</c>.</summary>
    ECXMissing,

    /// <summary><c>x</c> of an EC key is no string.</summary>
    ECXBad,

    /// <summary>An EC key without <c>y</c>.</summary>
    ECYMissing,

    /// <summary><c>y</c> of an EC key is no string.</summary>
    ECYBad,

    /// <summary><c>x</c> or <c>y</c> is no base64url.</summary>
    ECBadBase64,

    /// <summary><c>x</c> and <c>y</c> are no point of the curve.</summary>
    ECParseError,

    /// <summary><c>alg</c> of an <c>oct</c> key is not of HMAC.</summary>
    OctBadAlgorithm,

    /// <summary>An <c>oct</c> key without <c>k</c>.</summary>
    OctKeyMissing,

    /// <summary><c>k</c> of an <c>oct</c> key is no string.</summary>
    OctKeyBad,

    /// <summary><c>k</c> is empty or no base64url.</summary>
    OctBadBase64,

    /// <summary><c>k</c> has fewer octets than the hash of its <c>alg</c>, or of HS256 (RFC 7518 §3.2).</summary>
    OctTooShort,

    /// <summary><c>alg</c> of an OKP key is not <c>EdDSA</c>.</summary>
    OkpBadAlgorithm,

    /// <summary>An OKP key without <c>crv</c>.</summary>
    OkpCurveMissing,

    /// <summary><c>crv</c> of an OKP key is no string.</summary>
    OkpCurveBad,

    /// <summary><c>crv</c> of an OKP key is not <c>Ed25519</c>.</summary>
    OkpCurveUnsupported,

    /// <summary>An OKP key without <c>x</c>.</summary>
    OkpXMissing,

    /// <summary><c>x</c> of an OKP key is no string.</summary>
    OkpXBad,

    /// <summary><c>x</c> of an OKP key is no base64url.</summary>
    OkpBadBase64,

    /// <summary><c>x</c> of an OKP key has not 32 octets.</summary>
    OkpWrongLength,

    /// <summary>A value of the certificate map is no X.509 certificate.</summary>
    CertificateParseError,

    /// <summary>A certificate of the map has no RSA key.</summary>
    CertificateKeyError,

    /// <summary>The private members are incomplete or do not belong to the public ones.</summary>
    PrivateKeyBad,
}

/// <summary>The words of a <see cref="JwksStatus"/>.</summary>
public static class JwksStatusExtensions
{
    extension(JwksStatus status)
    {
        /// <summary>Envoy's wording where Envoy has the finding, ours in its manner where it has not.</summary>
        public string Message => status switch
        {
            JwksStatus.Ok => "OK",
            JwksStatus.NoValidKeys => "Jwks doesn't have any valid public key",
            JwksStatus.ParseError => "Jwks is an invalid JSON",
            JwksStatus.NoKeys => "Jwks does not have [keys] field",
            JwksStatus.BadKeys => "[keys] in Jwks is not an array",
            JwksStatus.TooLong => $"Jwks is longer than {JsonWebKeySet.MaxLength} characters",
            JwksStatus.TooManyKeys => $"Jwks has more than {JsonWebKeySet.MaxKeys} keys",
            JwksStatus.KeyTypeMissing => "[kty] is missing in [keys]",
            JwksStatus.KeyTypeBad => "[kty] is bad in [keys]",
            JwksStatus.KeyTypeUnsupported => "[kty] is not supported in [keys]",
            JwksStatus.UseNotSignature => "[use] is not [sig]",
            JwksStatus.OperationsWithoutVerify => "[key_ops] does not have [verify]",
            JwksStatus.RsaBadAlgorithm => "[alg] is not started with [RS] or [PS] for an RSA key",
            JwksStatus.RsaModulusMissing => "[n] field is missing for a RSA key",
            JwksStatus.RsaModulusBad => "[n] field is not string for a RSA key",
            JwksStatus.RsaExponentMissing => "[e] field is missing for a RSA key",
            JwksStatus.RsaExponentBad => "[e] field is not string for a RSA key",
            JwksStatus.RsaParseError => "Jwks RSA [n] or [e] field is missing or has a parse error",
            JwksStatus.RsaTooSmall => $"Jwks RSA key has fewer than {RsaKey.MinBits} bits",
            JwksStatus.RsaTooLarge => $"Jwks RSA key has more than {RsaKey.MaxBits} bits",
            JwksStatus.RsaFactorable => "Jwks RSA key can be factored (CVE-2017-15361)",
            JwksStatus.ECBadAlgorithm => "[alg] is not started with [ES] for an EC key",
            JwksStatus.ECCurveBad => "[crv] field is not string for an EC key",
            JwksStatus.ECCurveUnsupported => "[crv] or [alg] field is not supported for an EC key",
            JwksStatus.ECCurveNotOfAlgorithm => "[crv] field specified is not compatible with [alg] for an EC key",
            JwksStatus.ECXMissing => "[x] field is missing for an EC key",
            JwksStatus.ECXBad => "[x] field is not string for an EC key",
            JwksStatus.ECYMissing => "[y] field is missing for an EC key",
            JwksStatus.ECYBad => "[y] field is not string for an EC key",
            JwksStatus.ECBadBase64 => "Jwks EC [x] or [y] field is an invalid Base64.",
            JwksStatus.ECParseError => "Jwks EC [x] and [y] fields have a parse error.",
            JwksStatus.OctBadAlgorithm => "[alg] does not start with [HS] for an HMAC key",
            JwksStatus.OctKeyMissing => "[k] field is missing for an HMAC key",
            JwksStatus.OctKeyBad => "[k] field is not string for an HMAC key",
            JwksStatus.OctBadBase64 => "Jwks Oct key is an invalid Base64",
            JwksStatus.OctTooShort => "Jwks Oct key is shorter than the hash of its [alg], or than 32 bytes",
            JwksStatus.OkpBadAlgorithm => "[alg] is not [EdDSA] for an OKP key",
            JwksStatus.OkpCurveMissing => "[crv] field is missing for an OKP key",
            JwksStatus.OkpCurveBad => "[crv] field is not string for an OKP key",
            JwksStatus.OkpCurveUnsupported => "[crv] field is not supported for an OKP key",
            JwksStatus.OkpXMissing => "[x] field is missing for an OKP key",
            JwksStatus.OkpXBad => "[x] field is not string for an OKP key",
            JwksStatus.OkpBadBase64 => "Jwks OKP [x] field is an invalid Base64.",
            JwksStatus.OkpWrongLength => "Jwks OKP [x] field is wrong length.",
            JwksStatus.CertificateParseError => "X509 parse pubkey fails",
            JwksStatus.CertificateKeyError => "X509 parse pubkey internal fails: get pubkey",
            JwksStatus.PrivateKeyBad => "the private members are incomplete or do not belong to the public ones",
            _ => throw new UnreachableException($"{status} has no message"),
        };
    }
}
