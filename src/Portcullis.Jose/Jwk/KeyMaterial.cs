using System.Text.Json;

namespace Portcullis.Jose;

/// <summary>The kinds of key (<c>kty</c>, RFC 7518 §6.1, RFC 8037 §2).</summary>
public enum JwkKeyType
{
    /// <summary><c>RSA</c>.</summary>
    Rsa,

    /// <summary><c>EC</c> on P-256, P-384 or P-521.</summary>
    EC,

    /// <summary><c>oct</c>: a secret shared by signer and verifier.</summary>
    Oct,

    /// <summary><c>OKP</c> on Ed25519.</summary>
    Okp,
}

/// <summary>
/// The numbers of one key and the platform object made of them, once. Verifying only reads that object (OpenSSL counts references to it
/// atomically and makes a context per operation), so any number of threads may verify with one key at a time.
/// </summary>
internal abstract class KeyMaterial
{
    private protected KeyMaterial()
    {
    }

    public abstract JwkKeyType KeyType { get; }

    /// <summary>The <c>kty</c> value.</summary>
    public abstract string KeyTypeName { get; }

    /// <summary>What the key signs with when nothing else is asked for.</summary>
    public abstract JwsAlgorithm DefaultAlgorithm { get; }

    public abstract bool HasPrivateKey { get; }

    /// <summary>True if kind and curve of the key are those of the algorithm.</summary>
    public abstract bool Supports(JwsAlgorithm algorithm);

    /// <summary>Verifies with an algorithm that is supported.</summary>
    /// <param name="algorithm">One that <see cref="Supports"/> is true of.</param>
    /// <param name="data">The signing input.</param>
    /// <param name="digest">Its hash, for RSA and EC.</param>
    /// <param name="signature">Of any length and content.</param>
    public abstract bool Verify(JwsAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature);

    /// <summary>Signs; only for a key that <see cref="HasPrivateKey"/>.</summary>
    public abstract byte[] Sign(JwsAlgorithm algorithm, ReadOnlySpan<byte> data);

    /// <summary>Writes the members that RFC 7638 §3.2 requires, in their order, <c>kty</c> included.</summary>
    public abstract void WriteRequiredMembers(Utf8JsonWriter json);

    /// <summary>Writes the members that only the holder of the private key may see.</summary>
    public abstract void WritePrivateMembers(Utf8JsonWriter json);

    /// <summary>The same key without what is private; null if nothing would be left.</summary>
    public abstract KeyMaterial? ToPublic();

    /// <summary>SPKI or PKCS#8 in PEM; null for a kind that has no such form.</summary>
    public abstract string? ToPem(bool includePrivate);
}
