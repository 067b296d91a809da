using Portcullis.Matching;

namespace Portcullis.Routing;

/// <summary>What one condition of a match block looks at, besides the path.</summary>
internal enum ConditionSubject : byte
{
    Scheme,
    Method,
    Authority,
    Path,
    Header,
    QueryParameter,
    Claim,
}

/// <summary>One condition.</summary>
/// <param name="Subject">What is looked at.</param>
/// <param name="Name">Header or parameter; empty otherwise.</param>
/// <param name="Value">What it must be.</param>
/// <param name="Negated">From <c>withoutHeaders</c>: must not be it.</param>
/// <param name="Claim">Where in the token's payload, for <see cref="ConditionSubject.Claim"/>.</param>
internal sealed record RouteCondition(ConditionSubject Subject, string Name, ValueMatcher Value, bool Negated = false, ClaimMatch? Claim = null)
{
    public bool Holds<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes => Subject switch
    {
        ConditionSubject.Scheme => Value.IsMatch(request.Scheme) != Negated,
        ConditionSubject.Method => Value.IsMatch(request.Method) != Negated,
        ConditionSubject.Authority => Value.IsMatch(request.Authority) != Negated,
        ConditionSubject.Path => MatchesTarget(in request) != Negated,
        ConditionSubject.Header => MatchesHeader(request.GetHeader(Name)),
        ConditionSubject.QueryParameter => QueryString.TryGetFirst(request.Query, Name, out var value) && Value.IsMatch(value),
        _ => Claim!.IsMatch(request.Claims, Value) != Negated,
    };

    /// <summary>An absent header is the empty string to a negated condition, unless that asks for presence; else it matches nothing.</summary>
    private bool MatchesHeader(HeaderValues lines) => lines.Count switch
    {
        0 => Negated && (Value.IsPresence || !Value.IsMatch("")),
        1 => Value.IsMatch(lines[0]) != Negated,
        _ => Value.IsMatch(Join(lines)) != Negated,
    };

    /// <summary><c>:path</c> as a header is the path with its query.</summary>
    private bool MatchesTarget<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        Value.IsMatch(request.Query is { } query ? string.Concat(request.Path, "?", query) : request.Path);

    private static string Join(HeaderValues lines)
    {
        var all = new string[lines.Count];
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = lines[i];
        }

        return string.Join(',', all);
    }
}

/// <summary>The conditions of one match block besides its path: all must hold.</summary>
internal sealed class RouteConditions(RouteCondition[] conditions)
{
    private readonly RouteCondition[] _conditions = conditions;

    public static RouteConditions None { get; } = new([]);

    public bool IsEmpty => _conditions.Length == 0;

    public bool UsesClaims => Array.Exists(_conditions, c => c.Subject == ConditionSubject.Claim);

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
