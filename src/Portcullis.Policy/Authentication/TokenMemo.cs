using System.Diagnostics;
using Portcullis.Jose;

namespace Portcullis.Policy.Authentication;

/// <summary>
/// One token text during one request: read once, and verified once for each key set, however many rules and locations ask.
/// </summary>
internal struct TokenMemo(PresentedToken token, VerifiedTokenCache? cache, SignatureChecks checks = SignatureChecks.Verify)
{
    private readonly PresentedToken _token = token;
    private readonly VerifiedTokenCache? _cache = cache;
    private readonly SignatureChecks _checks = checks;
    private (JwksState Keys, JwtStatus Status)[]? _signatures;
    private int _signatureCount;
    private TokenDigest _digest;
    private bool _hasDigest;
    private bool _wasRead;
    private JwtStatus _readStatus;

    public readonly ReadOnlySpan<char> Text => _token.Text;

    /// <summary>After a <see cref="Read"/> that was <see cref="JwtStatus.Ok"/>.</summary>
    public JsonWebToken? Jwt { get; private set; }

    /// <summary>What the cache remembers; <see langword="null"/> when it knows nothing of the token.</summary>
    public VerifiedToken? Remembered { get; private set; }

    /// <summary>A signature would have to be verified, and was not: what was said of the token since says nothing.</summary>
    public bool IsPostponed { get; private set; }

    /// <summary>Checks 1–13 of authentication.md §7.</summary>
    public JwtStatus Read(DateTimeOffset now)
    {
        if (_wasRead)
        {
            return _readStatus;
        }

        _wasRead = true;
        if (_cache is not null)
        {
            _hasDigest = TokenDigest.TryCompute(_token.Text, out _digest);
            Remembered = _hasDigest ? _cache.Find(_digest, now) : null;
            Jwt = Remembered?.Jwt;
        }

        if (Jwt is null)
        {
            _readStatus = JsonWebToken.TryParse(_token.ToString(), out var jwt);
            Jwt = jwt;
        }

        return _readStatus;
    }

    /// <summary>Checks 18–20 of authentication.md §7, with the keys in force now.</summary>
    public JwtStatus VerifySignature(JwksSource source)
    {
        Debug.Assert(Jwt is not null, "the token was read before");
        var state = source.Current;
        if (state.Keys is not { IsUsable: true } keys)
        {
            Disprove(source);
            // Fails closed, whatever a source says.
            return state.WhenMissing == JwtStatus.Ok ? JwtStatus.VerificationFailed : state.WhenMissing;
        }

        if (Remembered?.IsVerifiedBy(source, state.Generation) == true)
        {
            _cache?.Note(isHit: true);
            return JwtStatus.Ok;
        }

        for (var i = 0; i < _signatureCount; i++)
        {
            if (ReferenceEquals(_signatures![i].Keys, state))
            {
                return _signatures[i].Status;
            }
        }

        if (_hasDigest && _cache!.Refused.Contains(in _digest, source, state.Generation))
        {
            _cache.Note(isHit: true);
            return JwtStatus.VerificationFailed;
        }

        if (_checks == SignatureChecks.RememberedOnly)
        {
            IsPostponed = true;
            return JwtStatus.VerificationFailed;
        }

        _cache?.Note(isHit: false);
        var status = Jwt.VerifySignature(keys);
        if (status == JwtStatus.Ok)
        {
            Remember(source, state.Generation);
        }
        else
        {
            Disprove(source);
            if (_hasDigest && status == JwtStatus.VerificationFailed)
            {
                _cache!.Refused.Add(in _digest, source, state.Generation);
            }

            if (status == JwtStatus.KeyIdAlgorithmMismatch)
            {
                source.KeyNotFound(Jwt.KeyId);
            }
        }

        Note(state, status);
        return status;
    }

    private void Remember(JwksSource source, long generation)
    {
        if (_hasDigest)
        {
            Remembered ??= _cache!.Add(_digest, Jwt!, _token.Text.Length);
            Remembered?.AddProof(source, generation);
        }
    }

    /// <summary>Drops what a key set said before it changed.</summary>
    private readonly void Disprove(JwksSource source)
    {
        if (Remembered is { } remembered && remembered.RemoveProof(source))
        {
            _cache!.Remove(remembered);
        }
    }

    private void Note(JwksState state, JwtStatus status)
    {
        _signatures ??= new (JwksState, JwtStatus)[2];
        if (_signatureCount == _signatures.Length)
        {
            Array.Resize(ref _signatures, _signatureCount * 2);
        }

        _signatures[_signatureCount++] = (state, status);
    }
}
