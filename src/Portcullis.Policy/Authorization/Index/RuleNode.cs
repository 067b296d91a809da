namespace Portcullis.Policy.Authorization;

/// <summary>
/// A part of the index: rules to try in any case, and tables that lead from what the request says to more of them.
/// </summary>
internal sealed class RuleNode
{
    /// <summary>Positions of rules, ascending.</summary>
    public required int[] Rules { get; init; }

    public TextTable? Hosts { get; init; }

    public TextTable? Paths { get; init; }

    public TextTable? Peers { get; init; }

    public TokenTable? Tokens { get; init; }

    public TextTable? Methods { get; init; }
}

/// <summary>Rules by texts of one attribute: by all of it, by its beginning and by its end.</summary>
internal sealed class TextTable
{
    public required Dictionary<string, RuleNode> Wholes { get; init; }

    public required TextTrie? Starts { get; init; }

    public required TextTrie? Ends { get; init; }

    public required bool IgnoresCase { get; init; }
}

/// <summary>Rules by issuer and subject of the token.</summary>
internal sealed class TokenTable
{
    public required Dictionary<(string Issuer, string Subject), RuleNode> Pairs { get; init; }

    public required Dictionary<string, RuleNode> Issuers { get; init; }

    public required Dictionary<string, RuleNode> Subjects { get; init; }

    /// <summary>All rules of the table that name this issuer, and those that name none: what a token of the issuer could satisfy.</summary>
    public required Dictionary<string, int[]> OpenIssuers { get; init; }

    /// <summary>Rules that name a subject only.</summary>
    public required int[] OpenSubjects { get; init; }

    /// <summary>All rules of the table.</summary>
    public required int[] All { get; init; }
}
