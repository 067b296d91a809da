using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>One field of a source or operation, or one side of a condition: any of its values must match, or with <c>not</c> none.</summary>
internal sealed class Clause
{
    private readonly ClauseKind _kind;
    private readonly bool _isNegated;
    private readonly object _operand;

    public Clause(ClauseKind kind, bool isNegated, object operand)
    {
        _kind = kind;
        _isNegated = isNegated;
        _operand = operand;
    }

    /// <summary>Whether the clause holds.</summary>
    /// <param name="request">The request.</param>
    /// <param name="path">The path, or the reading of it that is tried.</param>
    public bool IsMatch<TRequest>(ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes =>
        IsAnyValueMatch(in request, path) != _isNegated;

    /// <summary>What can be said of the clause when the request came with another token.</summary>
    /// <param name="request">The request; its claims are not looked at.</param>
    /// <param name="path">As above.</param>
    /// <param name="issuer">Issuer of that token; <see langword="null"/> for any.</param>
    public Truth Consider<TRequest>(ref readonly TRequest request, string path, string? issuer) where TRequest : struct, IRequestAttributes
    {
        var truth = _kind switch
        {
            ClauseKind.RequestPrincipal => ConsiderPrincipals((RequestPrincipalMatcher[])_operand, issuer),
            ClauseKind.Claim => ConsiderClaim((ClaimMatcher)_operand, issuer),
            _ => Truth.Of(IsAnyValueMatch(in request, path)),
        };
        return _isNegated ? truth.Negate() : truth;
    }

    /// <summary>The keys of which a request must have one for the clause to hold.</summary>
    /// <returns><see langword="false"/> when there are no such keys; what is in the list then is of no use.</returns>
    public bool TryGetKeys(List<IndexKey> keys) => !_isNegated && _kind switch
    {
        ClauseKind.Path => Array.TrueForAll((PathMatcher[])_operand, m => m.TryGetKey(out var key) && Add(keys, key)),
        ClauseKind.Host => HasKeys((StringMatcher[])_operand, IndexField.Host, keys),
        ClauseKind.Method => HasKeys((StringMatcher[])_operand, IndexField.Method, keys),
        ClauseKind.PeerIdentity => Array.TrueForAll((PeerIdentityMatcher[])_operand, m => m.TryGetKey(out var key) && Add(keys, key)),
        ClauseKind.RequestPrincipal => Array.TrueForAll((RequestPrincipalMatcher[])_operand, m => m.TryGetKey(out var key) && Add(keys, key)),
        _ => false,
    };

    private static bool HasKeys(StringMatcher[] matchers, IndexField field, List<IndexKey> keys) =>
        Array.TrueForAll(matchers, m => IndexKey.TryCreate(field, in m, out var key) && Add(keys, key));

    private static bool Add(List<IndexKey> keys, IndexKey key)
    {
        keys.Add(key);
        return true;
    }

    private bool IsAnyValueMatch<TRequest>(ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes => _kind switch
    {
        ClauseKind.Path => IsPathMatch((PathMatcher[])_operand, path),
        ClauseKind.Host => StringMatcher.AnyMatch((StringMatcher[])_operand, request.Authority),
        ClauseKind.Method => StringMatcher.AnyMatch((StringMatcher[])_operand, request.Method),
        ClauseKind.LocalPort => ((int[])_operand).AsSpan().Contains(request.LocalPort),
        ClauseKind.PeerAddress => ((CidrSet)_operand).Contains(request.PeerAddress),
        ClauseKind.RemoteAddress => ((CidrSet)_operand).Contains(request.RemoteAddress),
        ClauseKind.LocalAddress => ((CidrSet)_operand).Contains(request.LocalAddress),
        ClauseKind.PeerIdentity => IsPeerMatch((PeerIdentityMatcher[])_operand, request.PeerCertificate),
        ClauseKind.RequestPrincipal => IsPrincipalMatch((RequestPrincipalMatcher[])_operand, request.Claims),
        ClauseKind.Claim => ((ClaimMatcher)_operand).IsMatch(request.Claims),
        ClauseKind.Header => ((HeaderMatcher)_operand).IsAnyLineMatch(in request, path),
        ClauseKind.ServerName => StringMatcher.AnyMatch((StringMatcher[])_operand, request.ServerName ?? ""),
        _ => false, // Metadata: none is ever set
    };

    private static bool IsPathMatch(PathMatcher[] matchers, string path)
    {
        foreach (ref readonly var matcher in matchers.AsSpan())
        {
            if (matcher.IsMatch(path))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPeerMatch(PeerIdentityMatcher[] matchers, PeerCertificate? certificate)
    {
        foreach (ref readonly var matcher in matchers.AsSpan())
        {
            if (matcher.IsMatch(certificate))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPrincipalMatch(RequestPrincipalMatcher[] matchers, ClaimSet? claims)
    {
        foreach (ref readonly var matcher in matchers.AsSpan())
        {
            if (matcher.IsMatch(claims))
            {
                return true;
            }
        }

        return false;
    }

    private static Truth ConsiderPrincipals(RequestPrincipalMatcher[] matchers, string? issuer)
    {
        var truth = Truth.False;
        foreach (ref readonly var matcher in matchers.AsSpan())
        {
            truth = truth.Or(matcher.Consider(issuer));
        }

        return truth;
    }

    /// <summary>Of the claims only the issuer is known; one with a space could be split into a list by the JWT rule.</summary>
    private static Truth ConsiderClaim(ClaimMatcher matcher, string? issuer) => matcher.Path.Names switch
    {
        ["iss"] when issuer is not null && !issuer.Contains(' ') => Truth.Of(matcher.IsValueMatch(issuer)),
        ["iss", ..] when issuer is not null && matcher.Path.Names.Count > 1 => Truth.False,
        _ => Truth.Unknown,
    };
}

/// <summary>The attribute that a clause looks at.</summary>
internal enum ClauseKind : byte
{
    Path,
    Host,
    Method,
    LocalPort,
    PeerAddress,
    RemoteAddress,
    LocalAddress,
    PeerIdentity,
    RequestPrincipal,
    Claim,
    Header,
    ServerName,
    Metadata,
}
