using Portcullis.Jose;

namespace Portcullis.Policy.Authentication;

/// <summary>
/// What is remembered of a token: that it could be read, and by which key sets its signature was verified. Lifetime, issuer and audience are never remembered,
/// they are checked again by every rule for every request.
/// </summary>
internal sealed class VerifiedToken(TokenDigest digest, JsonWebToken jwt, int tokenLength)
{
    private const int MostProofs = 8;

    private Proof[] _proofs = [];
    private AcceptedToken? _accepted;

    public TokenDigest Digest { get; } = digest;

    public JsonWebToken Jwt { get; } = jwt;

    /// <summary>
    /// Bytes held, estimated from above: the token as text and decoded, the index over its JSON (12 bytes for as little as two of text), its claims
    /// as output headers, and the objects themselves.
    /// </summary>
    public long Size { get; } = 2048 + (12L * tokenLength);

    /// <summary>Set by a hit, taken back by the eviction hand; races lose nothing but a little fairness.</summary>
    public bool WasHit { get; set; }

    /// <summary>Neighbours in the order of insertion; guarded by the cache's lock.</summary>
    public VerifiedToken? Older { get; set; }

    /// <inheritdoc cref="Older"/>
    public VerifiedToken? Newer { get; set; }

    /// <summary>Whether the cache still holds it; guarded by the cache's lock.</summary>
    public bool IsLinked { get; set; }

    /// <summary>What the last rule that accepted the token made of it.</summary>
    public AcceptedToken? Accepted
    {
        get => Volatile.Read(ref _accepted);
        set => Volatile.Write(ref _accepted, value);
    }

    public bool IsVerifiedBy(JwksSource source, long generation)
    {
        foreach (var proof in Volatile.Read(ref _proofs))
        {
            if (ReferenceEquals(proof.Source, source))
            {
                return proof.Generation == generation;
            }
        }

        return false;
    }

    /// <summary>Remembers a verification. Of two writers at once one may be lost, which costs a verification later.</summary>
    public void AddProof(JwksSource source, long generation)
    {
        var kept = Without(source, Volatile.Read(ref _proofs));
        if (kept.Length == MostProofs)
        {
            kept = kept[1..];
        }

        Volatile.Write(ref _proofs, [.. kept, new Proof(source, generation)]);
    }

    /// <summary>Forgets a key set that no longer verifies the token.</summary>
    /// <returns>Whether none is left that does.</returns>
    public bool RemoveProof(JwksSource source)
    {
        var proofs = Volatile.Read(ref _proofs);
        var kept = Without(source, proofs);
        if (kept.Length == proofs.Length)
        {
            return false;
        }

        Volatile.Write(ref _proofs, kept);
        return kept.Length == 0;
    }

    private static Proof[] Without(JwksSource source, Proof[] proofs)
    {
        for (var i = 0; i < proofs.Length; i++)
        {
            if (ReferenceEquals(proofs[i].Source, source))
            {
                return [.. proofs[..i], .. proofs[(i + 1)..]];
            }
        }

        return proofs;
    }

    private readonly record struct Proof(JwksSource Source, long Generation);
}
