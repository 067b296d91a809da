using System.Collections.Concurrent;
using Portcullis.Jose;

namespace Portcullis.Policy.Authentication;

/// <summary>
/// Remembers which tokens had a good signature, so that a token seen before costs no second verification. Only verified tokens enter, so nobody can fill it
/// without valid tokens; and a token seen once is evicted before one that was used again (SIEVE), so a flood of valid tokens cannot flush those in use.
/// Entries hold for one generation of one key set and die with the token. Safe for concurrent use; a hit takes no lock.
/// </summary>
public sealed class VerifiedTokenCache
{
    /// <summary>Default bound.</summary>
    public const long DefaultCapacity = 64L * 1024 * 1024;

    /// <summary>A token longer than this is not worth its place.</summary>
    private const int LongestToken = 16 * 1024;

    private readonly ConcurrentDictionary<TokenDigest, VerifiedToken> _tokens = new();
    private readonly Lock _lock = new();
    private readonly long _capacity;
    private VerifiedToken? _newest;
    private VerifiedToken? _oldest;
    private VerifiedToken? _hand;
    private long _bytes;
    private long _evictions;
    private long _hits;
    private long _misses;

    /// <param name="capacity">Bound in bytes, estimated from above; at least 1.</param>
    public VerifiedTokenCache(long capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _capacity = capacity;
    }

    /// <summary>Signatures that did not verify.</summary>
    internal RefusedTokens Refused { get; } = new();

    /// <summary>Tokens held.</summary>
    public int Count => _tokens.Count;

    /// <summary>Bytes held, estimated from above; never more than the capacity.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Tokens dropped for want of room since the start.</summary>
    public long Evictions => Volatile.Read(ref _evictions);

    /// <summary>Signatures that were not verified because they had been, since the start.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Signatures that were verified, with any result, since the start.</summary>
    public long Misses => Volatile.Read(ref _misses);

    /// <summary>Notes whether a signature had to be verified.</summary>
    internal void Note(bool isHit) => Interlocked.Increment(ref isHit ? ref _hits : ref _misses);

    /// <summary>Finds a token and marks it as used; one past its end is dropped instead.</summary>
    internal VerifiedToken? Find(in TokenDigest digest, DateTimeOffset now)
    {
        if (!_tokens.TryGetValue(digest, out var token))
        {
            return null;
        }

        if (token.Jwt.CheckLifetime(now, CompiledJwtRule.ClockSkew) == JwtStatus.Expired)
        {
            Remove(token);
            return null;
        }

        if (!token.WasHit)
        {
            token.WasHit = true;
        }

        return token;
    }

    /// <summary>Remembers a token whose signature was just verified; evicts others for it.</summary>
    /// <returns>The entry, <see langword="null"/> for a token too large to keep.</returns>
    internal VerifiedToken? Add(in TokenDigest digest, JsonWebToken jwt, int tokenLength)
    {
        var token = new VerifiedToken(digest, jwt, tokenLength);
        if (tokenLength > LongestToken || token.Size > _capacity)
        {
            return null;
        }

        lock (_lock)
        {
            if (!_tokens.TryAdd(digest, token))
            {
                return _tokens.GetValueOrDefault(digest);
            }

            token.IsLinked = true;
            token.Older = _newest;
            _newest?.Newer = token;
            _newest = token;
            _oldest ??= token;
            _bytes += token.Size;
            while (_bytes > _capacity)
            {
                Evict(keep: token);
            }
        }

        return token;
    }

    /// <summary>Forgets a token, when its keys no longer verify it or its time is over.</summary>
    internal void Remove(VerifiedToken token)
    {
        lock (_lock)
        {
            Unlink(token);
        }
    }

    /// <summary>The hand walks from the oldest to the newest, spares once what was hit, and starts again at the end.</summary>
    private void Evict(VerifiedToken keep)
    {
        var hand = _hand ?? _oldest!;
        while (hand.WasHit || ReferenceEquals(hand, keep))
        {
            hand.WasHit = false;
            hand = hand.Newer ?? _oldest!;
        }

        _hand = hand.Newer;
        Unlink(hand);
        _evictions++;
    }

    private void Unlink(VerifiedToken token)
    {
        if (!token.IsLinked)
        {
            return;
        }

        _tokens.TryRemove(new(token.Digest, token));
        if (ReferenceEquals(_hand, token))
        {
            _hand = token.Newer;
        }

        if (token.Newer is null)
        {
            _newest = token.Older;
        }
        else
        {
            token.Newer.Older = token.Older;
        }

        if (token.Older is null)
        {
            _oldest = token.Newer;
        }
        else
        {
            token.Older.Newer = token.Newer;
        }

        (token.IsLinked, token.Older, token.Newer) = (false, null, null);
        _bytes -= token.Size;
    }
}
