using Portcullis.Matching;

namespace Portcullis.Routing;

/// <summary>What one condition of a match block looks at, besides the path.</summary>
internal enum ConditionSubject : byte
{
    Scheme,
    Method,
    Authority,
    Header,
    QueryParameter,
    Claim,
}

/// <summary>One condition (routing.md §2.4).</summary>
internal sealed class RouteCondition
{
    private readonly ConditionSubject _subject;
    private readonly StringMatcher _value;
    private readonly string _name = "";
    private readonly HeaderMatcher? _header;
    private readonly ClaimMatcher? _claim;
    private readonly bool _isPresence;
    private readonly bool _isNegated;

    /// <summary>On the scheme, the method or the authority.</summary>
    public RouteCondition(ConditionSubject subject, StringMatcher value) => (_subject, _value) = (subject, value);

    /// <summary>On a query parameter.</summary>
    public RouteCondition(string parameter, StringMatcher value) => (_subject, _name, _value) = (ConditionSubject.QueryParameter, parameter, value);

    /// <summary>On a header, or on one that Envoy makes of the request line (<c>:path</c> …).</summary>
    public RouteCondition(HeaderMatcher header, StringMatcher value, bool isPresence, bool isNegated) =>
        (_subject, _header, _value, _isPresence, _isNegated) = (ConditionSubject.Header, header, value, isPresence, isNegated);

    /// <summary>On a claim of the verified token; a header that a client sends by that name is never looked at.</summary>
    public RouteCondition(ClaimMatcher claim, bool isPresence, bool isNegated) =>
        (_subject, _claim, _isPresence, _isNegated) = (ConditionSubject.Claim, claim, isPresence, isNegated);

    public bool IsOnClaims => _subject == ConditionSubject.Claim;

    public bool Holds<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes => _subject switch
    {
        ConditionSubject.Scheme => _value.IsMatch(request.Scheme),
        ConditionSubject.Method => _value.IsMatch(request.Method),
        ConditionSubject.Authority => _value.IsMatch(request.Authority),
        ConditionSubject.Header => HoldsForHeader(in request),
        ConditionSubject.QueryParameter => QueryString.TryGetFirst(request.Query, _name, out var value) && _value.IsMatch(value),
        _ => (_isPresence ? request.Claims is { } claims && _claim!.Path.TryGet(claims, out _, out _) : _claim!.IsMatch(request.Claims)) != _isNegated,
    };

    /// <summary>An absent header is the empty string to a negated condition, unless that asks for presence; else it matches nothing.</summary>
    private bool HoldsForHeader<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        _isPresence ? _header!.IsPresent(in request) != _isNegated
        : !_isNegated ? _header!.IsJoinedMatch(in request)
        : _header!.IsPresent(in request) ? !_header.IsJoinedMatch(in request) : !_value.IsMatch("");
}

/// <summary>The conditions of one match block besides its path: all must hold.</summary>
internal sealed class RouteConditions(RouteCondition[] conditions)
{
    private readonly RouteCondition[] _conditions = conditions;

    public static RouteConditions None { get; } = new([]);

    public bool IsEmpty => _conditions.Length == 0;

    public bool UsesClaims { get; } = Array.Exists(conditions, c => c.IsOnClaims);

    public bool AllHold<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        foreach (var condition in _conditions)
        {
            if (!condition.Holds(in request))
            {
                return false;
            }
        }

        return true;
    }
}
