using System.Diagnostics;

namespace Portcullis.Jose;

/// <summary>What came of a token: <see cref="Ok"/>, or the first check that failed, in Envoy's order.</summary>
public enum JwtStatus
{
    /// <summary>Every check passed.</summary>
    Ok,

    /// <summary>No token, where a rule requires one.</summary>
    Missing,

    /// <summary><c>nbf</c> lies further ahead than the clock skew.</summary>
    NotYetValid,

    /// <summary><c>exp</c> lies further back than the clock skew.</summary>
    Expired,

    /// <summary>Not three non-empty segments between two dots, or longer than <see cref="JsonWebToken.MaxLength"/>.</summary>
    BadFormat,

    /// <summary>The header is not base64url.</summary>
    HeaderBadBase64,

    /// <summary>The header is not one JSON object.</summary>
    HeaderBadJson,

    /// <summary><c>alg</c> is absent or no string.</summary>
    HeaderBadAlgorithm,

    /// <summary><c>alg</c> is none of <see cref="JwsAlgorithm"/>.</summary>
    HeaderUnsupportedAlgorithm,

    /// <summary><c>kid</c> is no string.</summary>
    HeaderBadKeyId,

    /// <summary>The payload is not base64url.</summary>
    PayloadBadBase64,

    /// <summary>The payload is not one JSON object.</summary>
    PayloadBadJson,

    /// <summary><c>iss</c> is no string.</summary>
    IssuerNotString,

    /// <summary><c>sub</c> is no string.</summary>
    SubjectNotString,

    /// <summary><c>iat</c> is no number.</summary>
    IssuedAtNotInteger,

    /// <summary><c>iat</c> is negative or 2^64 and more.</summary>
    IssuedAtOutOfRange,

    /// <summary><c>nbf</c> is no number.</summary>
    NotBeforeNotInteger,

    /// <summary><c>nbf</c> is negative or 2^64 and more.</summary>
    NotBeforeOutOfRange,

    /// <summary><c>exp</c> is no number.</summary>
    ExpirationNotInteger,

    /// <summary><c>exp</c> is negative or 2^64 and more.</summary>
    ExpirationOutOfRange,

    /// <summary><c>jti</c> is no string.</summary>
    JwtIdNotString,

    /// <summary><c>aud</c> is neither a string nor a list of strings.</summary>
    AudienceNotString,

    /// <summary>The signature is not base64url.</summary>
    SignatureBadBase64,

    /// <summary>An Ed25519 signature is not of 64 octets.</summary>
    Ed25519SignatureWrongLength,

    /// <summary>No rule has the token's issuer.</summary>
    UnknownIssuer,

    /// <summary>A token for somebody else. The only status that answers 403.</summary>
    AudienceNotAllowed,

    /// <summary>No key that fits verifies the signature.</summary>
    VerificationFailed,

    /// <summary>The key set has no key to use.</summary>
    NoValidKeys,

    /// <summary>No key of the set has the token's <c>kid</c> and <c>alg</c>.</summary>
    KeyIdAlgorithmMismatch,

    /// <summary>The key set could not be fetched.</summary>
    FetchFailed,
}

/// <summary>How a <see cref="JwtStatus"/> is answered.</summary>
public static class JwtStatusExtensions
{
    extension(JwtStatus status)
    {
        /// <summary>Envoy's wording to the byte: it is the response body, and clients match on it.</summary>
        public string Message => status switch
        {
            JwtStatus.Ok => "OK",
            JwtStatus.Missing => "Jwt is missing",
            JwtStatus.NotYetValid => "Jwt not yet valid",
            JwtStatus.Expired => "Jwt is expired",
            JwtStatus.BadFormat => "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
            JwtStatus.HeaderBadBase64 => "Jwt header is an invalid Base64url encoded",
            JwtStatus.HeaderBadJson => "Jwt header is an invalid JSON",
            JwtStatus.HeaderBadAlgorithm => "Jwt header [alg] field is required and must be a string",
            JwtStatus.HeaderUnsupportedAlgorithm => "Jwt header [alg] is not supported",
            JwtStatus.HeaderBadKeyId => "Jwt header [kid] field is not a string",
            JwtStatus.PayloadBadBase64 => "Jwt payload is an invalid Base64url encoded",
            JwtStatus.PayloadBadJson => "Jwt payload is an invalid JSON",
            JwtStatus.IssuerNotString => "Jwt payload [iss] field is not a string",
            JwtStatus.SubjectNotString => "Jwt payload [sub] field is not a string",
            JwtStatus.IssuedAtNotInteger => "Jwt payload [iat] field is not an integer",
            JwtStatus.IssuedAtOutOfRange => "Jwt payload [iat] field is not a positive 64 bit integer",
            JwtStatus.NotBeforeNotInteger => "Jwt payload [nbf] field is not an integer",
            JwtStatus.NotBeforeOutOfRange => "Jwt payload [nbf] field is not a positive 64 bit integer",
            JwtStatus.ExpirationNotInteger => "Jwt payload [exp] field is not an integer",
            JwtStatus.ExpirationOutOfRange => "Jwt payload [exp] field is not a positive 64 bit integer",
            JwtStatus.JwtIdNotString => "Jwt payload [jti] field is not a string",
            JwtStatus.AudienceNotString => "Jwt payload [aud] field is not a string or string list",
            JwtStatus.SignatureBadBase64 => "Jwt signature is an invalid Base64url encoded",
            JwtStatus.Ed25519SignatureWrongLength => "Jwt ED25519 signature is wrong length",
            JwtStatus.UnknownIssuer => "Jwt issuer is not configured",
            JwtStatus.AudienceNotAllowed => "Audiences in Jwt are not allowed",
            JwtStatus.VerificationFailed => "Jwt verification fails",
            JwtStatus.NoValidKeys => "Jwks doesn't have any valid public key",
            JwtStatus.KeyIdAlgorithmMismatch => "Jwks doesn't have key to match kid or alg from Jwt",
            JwtStatus.FetchFailed => "Jwks remote fetch is failed",
            _ => throw new UnreachableException($"{status} has no message"),
        };

        /// <summary>403 for a token meant for somebody else, 401 for every other refusal. <see cref="JwtStatus.Ok"/> has none to ask for.</summary>
        public int HttpStatusCode => status is JwtStatus.AudienceNotAllowed ? 403 : 401;
    }
}
