namespace Portcullis.Policy.Authentication;

/// <summary>
/// Remembers which signatures did not verify, so that the same bad token sent over and over costs one verification. A fixed number of places, each holding what came
/// last: a flood of different bad tokens takes no more room, and drops nothing but other refusals. What a key set refused holds for one generation of it. Safe for
/// concurrent use, without locks.
/// </summary>
internal sealed class RefusedTokens
{
    private const int Places = 4096;

    private readonly Refusal?[] _places = new Refusal?[Places];

    /// <summary>Whether this key set refused the token, with the keys that it has now.</summary>
    public bool Contains(in TokenDigest digest, JwksSource source, long generation) =>
        Volatile.Read(ref _places[Place(in digest)]) is { } known && known.Generation == generation && ReferenceEquals(known.Source, source) && known.Digest == digest;

    /// <summary>Notes that it did.</summary>
    public void Add(in TokenDigest digest, JwksSource source, long generation) =>
        Volatile.Write(ref _places[Place(in digest)], new Refusal(digest, source, generation));

    private static int Place(in TokenDigest digest) => digest.GetHashCode() & (Places - 1);

    private sealed record Refusal(TokenDigest Digest, JwksSource Source, long Generation);
}
