using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>What is asked of the rules that the index finds.</summary>
internal interface IRuleVisitor
{
    /// <summary>What is known of the token.</summary>
    TokenKnowledge Token { get; }

    /// <summary>Issuer of an open token; <see langword="null"/> for any.</summary>
    string? Issuer { get; }

    /// <summary>Looks at rules.</summary>
    /// <returns>Whether the answer is known, and the search over.</returns>
    bool Visit<TRequest>(int[] positions, ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes;
}

/// <summary>What a search knows of the token.</summary>
internal enum TokenKnowledge : byte
{
    /// <summary>The request's claims.</summary>
    Given,

    /// <summary>Nothing beyond its issuer: rules that name a subject may match.</summary>
    Open,

    /// <summary>Nothing, and a rule that depends on it is of no interest.</summary>
    Ignored,
}

/// <summary>Finds the first rule that matches.</summary>
internal struct FirstMatch(CompiledRule[] rules, int before) : IRuleVisitor
{
    /// <summary>Position of the best rule found so far; what comes after it is not tried.</summary>
    public int Position { get; private set; } = before;

    public readonly TokenKnowledge Token => TokenKnowledge.Given;

    public readonly string? Issuer => null;

    public bool Visit<TRequest>(int[] positions, ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes
    {
        foreach (var position in positions)
        {
            if (position >= Position)
            {
                break;
            }

            if (rules[position].IsMatch(in request, path))
            {
                Position = position;
                break;
            }
        }

        return Position == 0;
    }
}

/// <summary>Whether some rule matches whatever the token says. A rule that is found by a name in the token never does.</summary>
internal struct CertainMatch(CompiledRule[] rules, string? issuer) : IRuleVisitor
{
    public bool IsFound { get; private set; }

    public readonly TokenKnowledge Token => TokenKnowledge.Ignored;

    public readonly string? Issuer => issuer;

    public bool Visit<TRequest>(int[] positions, ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes
    {
        foreach (var position in positions)
        {
            if (rules[position].Consider(in request, path, issuer) == Truth.True)
            {
                return IsFound = true;
            }
        }

        return false;
    }
}

/// <summary>Whether some rule could match with another token.</summary>
internal struct PossibleMatch(CompiledRule[] rules, string? issuer) : IRuleVisitor
{
    public bool IsFound { get; private set; }

    public readonly TokenKnowledge Token => TokenKnowledge.Open;

    public readonly string? Issuer => issuer;

    public bool Visit<TRequest>(int[] positions, ref readonly TRequest request, string path) where TRequest : struct, IRequestAttributes
    {
        foreach (var position in positions)
        {
            if (rules[position].Consider(in request, path, issuer) != Truth.False)
            {
                return IsFound = true;
            }
        }

        return false;
    }
}
