using Portcullis.Jose;

namespace Portcullis.Policy.Authentication;

/// <summary>A key set that never changes: an inline <c>jwks</c>, or the keys of an offline tool.</summary>
public sealed class FixedJwksSource : JwksSource
{
    /// <param name="keys">The set; one without a usable key fails every token with <see cref="JwtStatus.NoValidKeys"/>.</param>
    public FixedJwksSource(JsonWebKeySet keys) => Current = new(keys, JwtStatus.NoValidKeys, Generation: 0);

    private FixedJwksSource() => Current = new(null, JwtStatus.VerificationFailed, Generation: 0);

    /// <summary>No keys at all: every token fails with <see cref="JwtStatus.VerificationFailed"/>, as with keys that cannot be fetched.</summary>
    public static FixedJwksSource None { get; } = new();

    /// <inheritdoc/>
    public override JwksState Current { get; }
}
