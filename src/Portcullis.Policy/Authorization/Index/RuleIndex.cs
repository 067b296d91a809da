using Portcullis.Matching;

namespace Portcullis.Policy.Authorization;

/// <summary>
/// The rules of one set, found by what they ask of host, path, client certificate, token and method instead of one after the other. It only leaves out rules
/// that cannot match; what it finds is evaluated as before, so that the answer is that of a walk along all rules in the order of their ids.
/// </summary>
internal sealed class RuleIndex
{
    private readonly CompiledRule[] _rules;
    private readonly RuleNode _root;

    /// <param name="rules">In the order of their ids.</param>
    public RuleIndex(CompiledRule[] rules)
    {
        _rules = rules;
        _root = new RuleIndexBuilder(rules).Build();
    }

    public bool IsEmpty => _rules.Length == 0;

    /// <summary>The first rule that matches.</summary>
    public CompiledRule? First<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes
    {
        if (IsEmpty)
        {
            return null;
        }

        var visitor = new FirstMatch(_rules, _rules.Length);
        Search(_root, in request, request.Path, ref visitor);
        return Rule(visitor.Position);
    }

    /// <summary>The first rule that any reading of the path satisfies.</summary>
    public CompiledRule? First<TRequest>(ref readonly TRequest request, in PathReadings readings) where TRequest : struct, IRequestAttributes
    {
        var visitor = new FirstMatch(_rules, _rules.Length);
        for (var i = 0; i < readings.Count && !Search(_root, in request, readings[i], ref visitor); i++)
        {
        }

        return Rule(visitor.Position);
    }

    /// <summary>Whether a rule matches whatever token comes.</summary>
    public bool AnyCertain<TRequest>(ref readonly TRequest request, string path, string? issuer) where TRequest : struct, IRequestAttributes
    {
        var visitor = new CertainMatch(_rules, issuer);
        Search(_root, in request, path, ref visitor);
        return visitor.IsFound;
    }

    /// <summary>Whether a rule could match with a token of the issuer; <see langword="null"/> is any.</summary>
    public bool AnyPossible<TRequest>(ref readonly TRequest request, string path, string? issuer) where TRequest : struct, IRequestAttributes
    {
        var visitor = new PossibleMatch(_rules, issuer);
        Search(_root, in request, path, ref visitor);
        return visitor.IsFound;
    }

    private CompiledRule? Rule(int position) => position < _rules.Length ? _rules[position] : null;

    private static bool Search<TRequest, TVisitor>(RuleNode node, ref readonly TRequest request, string path, ref TVisitor visitor)
        where TRequest : struct, IRequestAttributes
        where TVisitor : struct, IRuleVisitor =>
        visitor.Visit(node.Rules, in request, path)
        || (node.Hosts is { } hosts && Search(hosts, request.Authority, in request, path, ref visitor))
        || (node.Paths is { } paths && Search(paths, path, in request, path, ref visitor))
        || (node.Peers is { } peers && request.PeerCertificate is { } peer && Search(peers, peer, in request, path, ref visitor))
        || (node.Tokens is { } tokens && Search(tokens, in request, path, ref visitor))
        || (node.Methods is { } methods && Search(methods, request.Method, in request, path, ref visitor));

    private static bool Search<TRequest, TVisitor>(TextTable table, string text, ref readonly TRequest request, string path, ref TVisitor visitor)
        where TRequest : struct, IRequestAttributes
        where TVisitor : struct, IRuleVisitor =>
        (table.Wholes.TryGetValue(text, out var whole) && Search(whole, in request, path, ref visitor))
        || (table.Starts is { } starts
            && Search(starts, text, table.IgnoresCase ? TextDirection.FromStartIgnoringCase : TextDirection.FromStart, in request, path, ref visitor))
        || (table.Ends is { } ends
            && Search(ends, text, table.IgnoresCase ? TextDirection.FromEndIgnoringCase : TextDirection.FromEnd, in request, path, ref visitor));

    private static bool Search<TRequest, TVisitor>(
        TextTrie trie, ReadOnlySpan<char> text, TextDirection direction, ref readonly TRequest request, string path, ref TVisitor visitor)
        where TRequest : struct, IRequestAttributes
        where TVisitor : struct, IRuleVisitor
    {
        for (var node = trie; node is not null; node = node.Next(text, direction))
        {
            if (!node.TryAdvance(text, direction, out text))
            {
                return false;
            }

            if (node.Part is { } part && Search(part, in request, path, ref visitor))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Search<TRequest, TVisitor>(TextTable table, PeerCertificate peer, ref readonly TRequest request, string path, ref TVisitor visitor)
        where TRequest : struct, IRequestAttributes
        where TVisitor : struct, IRuleVisitor
    {
        for (var i = 0; i < peer.UriNames.Count; i++)
        {
            if (Search(table, peer.UriNames[i], in request, path, ref visitor))
            {
                return true;
            }
        }

        for (var i = 0; i < peer.DnsNames.Count; i++)
        {
            if (Search(table, peer.DnsNames[i], in request, path, ref visitor))
            {
                return true;
            }
        }

        return Search(table, peer.Subject, in request, path, ref visitor);
    }

    private static bool Search<TRequest, TVisitor>(TokenTable table, ref readonly TRequest request, string path, ref TVisitor visitor)
        where TRequest : struct, IRequestAttributes
        where TVisitor : struct, IRuleVisitor
    {
        switch (visitor.Token)
        {
            case TokenKnowledge.Ignored:
                return false;
            case TokenKnowledge.Open when visitor.Issuer is null:
                return visitor.Visit(table.All, in request, path);
            case TokenKnowledge.Open:
                return visitor.Visit(table.OpenSubjects, in request, path)
                    || (table.OpenIssuers.TryGetValue(visitor.Issuer!, out var positions) && visitor.Visit(positions, in request, path));
        }

        if (request.Claims is not { Issuer: { } issuer } claims)
        {
            return false;
        }

        var subject = claims.Subject ?? ""; // a token without one has the principal `issuer/`, where that is accepted
        return (table.Pairs.TryGetValue((issuer, subject), out var pair) && Search(pair, in request, path, ref visitor))
            || (table.Issuers.TryGetValue(issuer, out var ofIssuer) && Search(ofIssuer, in request, path, ref visitor))
            || (table.Subjects.TryGetValue(subject, out var ofSubject) && Search(ofSubject, in request, path, ref visitor));
    }
}
