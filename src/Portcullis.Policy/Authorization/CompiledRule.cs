using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>A rule of a policy in its runtime form: any source, and any operation, and all conditions.</summary>
internal sealed class CompiledRule
{
    /// <summary><c>ns[NS]-policy[NAME]-rule[i]</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>spec.provider.name</c> of a CUSTOM policy.</summary>
    public string? Provider { get; init; }

    /// <summary>Sources, each a list of clauses that must all hold; none: any source.</summary>
    public required Clause[][] From { get; init; }

    /// <summary>Operations, likewise.</summary>
    public required Clause[][] To { get; init; }

    /// <summary>Conditions.</summary>
    public required Clause[] When { get; init; }

    /// <summary>Whether the rule matches. What costs least is looked at first: conditions are mostly about claims, which have to be read.</summary>
    public bool IsMatch<TRequest>(ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes =>
        AnyMatches(To, in request, path) && AnyMatches(From, in request, path) && AllMatch(When, in request, path);

    /// <summary>What can be said of the rule when the request came with another token of an issuer.</summary>
    public Truth Consider<TRequest>(ref readonly TRequest request, string path, string? issuer) where TRequest : struct, IRequestAttributes =>
        ConsiderAll(When, in request, path, issuer)
            .And(ConsiderAny(From, in request, path, issuer))
            .And(ConsiderAny(To, in request, path, issuer));

    private static bool AllMatch<TRequest>(Clause[] clauses, ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes
    {
        foreach (var clause in clauses)
        {
            if (!clause.IsMatch(in request, path))
            {
                return false;
            }
        }

        return true;
    }

    private static bool AnyMatches<TRequest>(Clause[][] choices, ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes
    {
        foreach (var clauses in choices)
        {
            if (AllMatch(clauses, in request, path))
            {
                return true;
            }
        }

        return choices.Length == 0;
    }

    private static Truth ConsiderAll<TRequest>(Clause[] clauses, ref readonly TRequest request, string path, string? issuer)
        where TRequest : struct, IRequestAttributes
    {
        var truth = Truth.True;
        foreach (var clause in clauses)
        {
            truth = truth.And(clause.Consider(in request, path, issuer));
        }

        return truth;
    }

    private static Truth ConsiderAny<TRequest>(Clause[][] choices, ref readonly TRequest request, string path, string? issuer)
        where TRequest : struct, IRequestAttributes
    {
        var truth = choices.Length == 0 ? Truth.True : Truth.False;
        foreach (var clauses in choices)
        {
            truth = truth.Or(ConsiderAll(clauses, in request, path, issuer));
        }

        return truth;
    }
}
