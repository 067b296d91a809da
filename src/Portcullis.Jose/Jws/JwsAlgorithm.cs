using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Portcullis.Jose;

/// <summary>The <c>alg</c> values we verify and sign with (RFC 7518 §3.1, RFC 8037 §3.1). <c>none</c> is not among them and never will be.</summary>
[SuppressMessage("Naming", "CA1707", Justification = "the names are those of the registry")]
public enum JwsAlgorithm
{
    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    RS256,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-384.</summary>
    RS384,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-512.</summary>
    RS512,

    /// <summary>RSASSA-PSS with SHA-256, MGF1 of the same hash, salt as long as the hash.</summary>
    PS256,

    /// <summary>RSASSA-PSS with SHA-384, MGF1 of the same hash, salt as long as the hash.</summary>
    PS384,

    /// <summary>RSASSA-PSS with SHA-512, MGF1 of the same hash, salt as long as the hash.</summary>
    PS512,

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    ES256,

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    ES384,

    /// <summary>ECDSA on P-521 with SHA-512.</summary>
    ES512,

    /// <summary>HMAC with SHA-256; only an <c>oct</c> key is ever used with it.</summary>
    HS256,

    /// <summary>HMAC with SHA-384; only an <c>oct</c> key is ever used with it.</summary>
    HS384,

    /// <summary>HMAC with SHA-512; only an <c>oct</c> key is ever used with it.</summary>
    HS512,

    /// <summary>Ed25519 (RFC 8037; Ed448 is not supported).</summary>
    EdDSA,
}

/// <summary>The registered names of the algorithms and what they are made of.</summary>
public static class JwsAlgorithms
{
    /// <summary>Every algorithm, in the order of the registry.</summary>
    public static IReadOnlyList<JwsAlgorithm> All { get; } = Enum.GetValues<JwsAlgorithm>();

    extension(JwsAlgorithm algorithm)
    {
        /// <summary>The name as it stands in the <c>alg</c> member, case-sensitive.</summary>
        public string Name => algorithm switch
        {
            JwsAlgorithm.RS256 => "RS256",
            JwsAlgorithm.RS384 => "RS384",
            JwsAlgorithm.RS512 => "RS512",
            JwsAlgorithm.PS256 => "PS256",
            JwsAlgorithm.PS384 => "PS384",
            JwsAlgorithm.PS512 => "PS512",
            JwsAlgorithm.ES256 => "ES256",
            JwsAlgorithm.ES384 => "ES384",
            JwsAlgorithm.ES512 => "ES512",
            JwsAlgorithm.HS256 => "HS256",
            JwsAlgorithm.HS384 => "HS384",
            JwsAlgorithm.HS512 => "HS512",
            JwsAlgorithm.EdDSA => "EdDSA",
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
        };

        internal bool IsPss => algorithm is JwsAlgorithm.PS256 or JwsAlgorithm.PS384 or JwsAlgorithm.PS512;

        internal bool IsRsa => algorithm is >= JwsAlgorithm.RS256 and <= JwsAlgorithm.PS512;

        internal bool IsEcdsa => algorithm is >= JwsAlgorithm.ES256 and <= JwsAlgorithm.ES512;

        internal bool IsHmac => algorithm is >= JwsAlgorithm.HS256 and <= JwsAlgorithm.HS512;

        internal HashAlgorithmName Hash => algorithm switch
        {
            JwsAlgorithm.RS384 or JwsAlgorithm.PS384 or JwsAlgorithm.ES384 or JwsAlgorithm.HS384 => HashAlgorithmName.SHA384,
            JwsAlgorithm.RS512 or JwsAlgorithm.PS512 or JwsAlgorithm.ES512 or JwsAlgorithm.HS512 => HashAlgorithmName.SHA512,
            JwsAlgorithm.EdDSA => throw new InvalidOperationException("Ed25519 takes the message itself"),
            _ => HashAlgorithmName.SHA256,
        };

        internal int HashData(ReadOnlySpan<byte> data, Span<byte> destination) => algorithm switch
        {
            JwsAlgorithm.RS384 or JwsAlgorithm.PS384 or JwsAlgorithm.ES384 => SHA384.HashData(data, destination),
            JwsAlgorithm.RS512 or JwsAlgorithm.PS512 or JwsAlgorithm.ES512 => SHA512.HashData(data, destination),
            _ => SHA256.HashData(data, destination),
        };
    }

    /// <summary>Reads an <c>alg</c> value; <see langword="false"/> for <c>none</c>, any other case and all that is not supported.</summary>
    public static bool TryParse(string? name, out JwsAlgorithm algorithm)
    {
        foreach (var candidate in All)
        {
            if (candidate.Name == name)
            {
                algorithm = candidate;
                return true;
            }
        }

        algorithm = default;
        return false;
    }
}
