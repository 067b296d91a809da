using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Portcullis.Jose;

/// <summary>Which keys of a set are tried on a signature, in Envoy's order, and what comes of it.</summary>
internal static class SignatureVerifier
{
    /// <summary>
    /// Signatures computed for one token at most. A token without <c>kid</c> fits every key of its algorithm; a set of thousands must
    /// not let one forged request buy thousands of RSA operations.
    /// </summary>
    public const int MaxKeysTried = 64;

    public static JwtStatus Verify(
        JsonWebKeySet keys, JwsAlgorithm algorithm, string? keyId, ReadOnlySpan<char> signingInput, ReadOnlySpan<byte> signature)
    {
        if (!keys.IsUsable)
        {
            return JwtStatus.NoValidKeys;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(signingInput.Length);
        try
        {
            // Both segments were decoded as base64url before, so every character is one ASCII byte.
            var data = buffer.AsSpan(0, Encoding.ASCII.GetBytes(signingInput, buffer));
            Span<byte> digest = stackalloc byte[SHA512.HashSizeInBytes];
            digest = algorithm.IsRsa || algorithm.IsEcdsa ? digest[..algorithm.HashData(data, digest)] : [];
            return TryKeys(keys, algorithm, keyId, data, digest, signature);
        }
        finally
        {
            buffer.AsSpan(0, signingInput.Length).Clear();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static JwtStatus TryKeys(
        JsonWebKeySet keys, JwsAlgorithm algorithm, string? keyId, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature)
    {
        var matched = false;
        var tried = 0;
        foreach (var key in keys.Keys)
        {
            if (!key.Matches(keyId, algorithm))
            {
                continue;
            }

            matched = true;

            // Envoy tries the key all the same. A key of another kind or curve than `alg` says never verifies here (RFC 8725 §3.1).
            if (!key.Material.Supports(algorithm))
            {
                continue;
            }

            if (algorithm == JwsAlgorithm.EdDSA && signature.Length != Ed25519Key.SignatureSize)
            {
                return JwtStatus.Ed25519SignatureWrongLength;
            }

            if (tried++ == MaxKeysTried)
            {
                break;
            }

            if (key.Material.Verify(algorithm, data, digest, signature))
            {
                return JwtStatus.Ok;
            }
        }

        return matched ? JwtStatus.VerificationFailed : JwtStatus.KeyIdAlgorithmMismatch;
    }
}
