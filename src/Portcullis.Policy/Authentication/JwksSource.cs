using Portcullis.Jose;

namespace Portcullis.Policy.Authentication;

/// <summary>
/// The key set of one rule, kept current by whoever implements it. Rules of every snapshot that name the same location share one source, so that a
/// reload neither fetches again nor forgets verified tokens.
/// </summary>
public abstract class JwksSource
{
    /// <summary>The keys in force. Read on the request path: one volatile read, no lock, no wait.</summary>
    public abstract JwksState Current { get; }

    /// <summary>
    /// A hint that an otherwise acceptable token named a key that <see cref="Current"/> does not hold. Called on the request path with text that a client chose:
    /// implementations return at once and limit how often the hint leads to a fetch.
    /// </summary>
    /// <param name="keyId">The token's <c>kid</c>; <see langword="null"/> when it has none and no key fits its algorithm.</param>
    public virtual void KeyNotFound(string? keyId)
    {
    }
}

/// <summary>One state of a key set. Immutable.</summary>
/// <param name="Keys">The keys; <see langword="null"/> while none could be had.</param>
/// <param name="WhenMissing">
/// What a token fails with while <paramref name="Keys"/> is null or holds no usable key: <see cref="JwtStatus.VerificationFailed"/> for keys that cannot be
/// fetched, <see cref="JwtStatus.NoValidKeys"/> for a useless inline set (authentication.md §9). Never <see cref="JwtStatus.Ok"/>.
/// </param>
/// <param name="Generation">Differs whenever the keys differ, within one source.</param>
public sealed record JwksState(JsonWebKeySet? Keys, JwtStatus WhenMissing, long Generation);
