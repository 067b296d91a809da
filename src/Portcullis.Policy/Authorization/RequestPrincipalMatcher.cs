using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// One value of <c>requestPrincipals</c>, held against issuer and subject of the token. The pattern is cut at its last <c>/</c>, as Istio does, with all that
/// follows from it: <c>*/*</c> asks for the subject <c>*</c>, and a subject that has a slash is reached by <c>issuer/*</c> only (authorization.md §5.2).
/// </summary>
internal readonly struct RequestPrincipalMatcher
{
    private readonly StringMatcher _issuer;
    private readonly StringMatcher _subject;
    private readonly bool _isAny;
    private readonly bool _hasSlash;
    private readonly bool _acceptsNoSubject;

    private RequestPrincipalMatcher(StringMatcher issuer, StringMatcher subject, bool isAny, bool hasSlash, bool acceptsNoSubject)
    {
        _issuer = issuer;
        _subject = subject;
        _isAny = isAny;
        _hasSlash = hasSlash;
        _acceptsNoSubject = acceptsNoSubject;
    }

    /// <param name="pattern">As in the policy.</param>
    /// <param name="acceptsNoSubject">A token without <c>sub</c> has the principal <c>iss/</c> (<c>principalWithoutSub: Accept</c>).</param>
    public static RequestPrincipalMatcher Compile(string pattern, bool acceptsNoSubject)
    {
        var slash = pattern.LastIndexOf('/');
        var hasSlash = slash >= 0;
        var issuer = hasSlash ? pattern[..slash] : pattern;
        var subject = hasSlash ? pattern[(slash + 1)..] : "";
        var (issuerMatcher, subjectMatcher) = pattern switch
        {
            "*" => (StringMatcher.NonEmpty, StringMatcher.NonEmpty),
            ['*', .. var suffix] => hasSlash
                ? (issuer == "*" ? StringMatcher.NonEmpty : StringMatcher.Suffix(issuer[1..]), StringMatcher.Exact(subject))
                : (StringMatcher.NonEmpty, StringMatcher.Suffix(suffix)),
            [.. var prefix, '*'] => hasSlash
                ? (StringMatcher.Exact(issuer), subject == "*" ? StringMatcher.NonEmpty : StringMatcher.Prefix(subject[..^1]))
                : (StringMatcher.Prefix(prefix), StringMatcher.NonEmpty),
            _ => (StringMatcher.Exact(issuer), StringMatcher.Exact(subject)),
        };
        return new RequestPrincipalMatcher(issuerMatcher, subjectMatcher, pattern == "*", hasSlash, acceptsNoSubject);
    }

    public bool IsMatch(ClaimSet? claims)
    {
        if (claims?.Issuer is not { } issuer || !_issuer.IsMatch(issuer))
        {
            return false;
        }

        if (claims.Subject is { } subject)
        {
            return _subject.IsMatch(subject) || (_isAny && _acceptsNoSubject);
        }

        // `iss/` has a slash: a pattern without one does not mean it
        return _acceptsNoSubject && (_isAny || (_hasSlash && _subject.IsMatch("")));
    }

    /// <summary>Issuer or subject that the token must have, or both; a token without subject has the empty one.</summary>
    public bool TryGetKey(out IndexKey key)
    {
        var issuer = _issuer.GetLiteral(out var issuerText, out _) == LiteralPlace.Whole ? issuerText : null;
        var subject = _subject.GetLiteral(out var subjectText, out _) == LiteralPlace.Whole ? subjectText : null;
        key = new IndexKey(IndexField.Token, LiteralPlace.Whole, issuer, subject);
        return issuer is not null || subject is not null;
    }

    /// <summary>What can be said when only the issuer is known.</summary>
    /// <param name="issuer"><see langword="null"/>: not even that.</param>
    public Truth Consider(string? issuer) => issuer is null
        ? Truth.Unknown
        : !_issuer.IsMatch(issuer) ? Truth.False
        : _isAny && _acceptsNoSubject ? Truth.True
        : Truth.Unknown;
}
