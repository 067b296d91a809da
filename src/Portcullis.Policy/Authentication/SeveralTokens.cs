using System.Collections.Immutable;
using Portcullis.Jose;

namespace Portcullis.Policy.Authentication;

/// <summary>
/// The requirement tree of authentication.md §5 over a request with any number of tokens: rule by rule in issuer order, a token that was accepted
/// and removed being out of the later rules' sight. Each distinct token is read once, and verified once for each key set.
/// </summary>
internal ref struct SeveralTokens
{
    private const int NotRemoved = -1;

    private readonly ReadOnlySpan<PresentedToken> _tokens;
    private readonly DateTimeOffset _now;
    private readonly TokenMemo[] _memos;
    private readonly int[] _memoOf;
    private readonly int[] _removedBy;
    private readonly bool[] _accepted;
    private readonly List<AppendedHeader> _outputs = [];

    public SeveralTokens(ReadOnlySpan<PresentedToken> tokens, VerifiedTokenCache? cache, SignatureChecks checks, DateTimeOffset now)
    {
        _tokens = tokens;
        _now = now;
        _memos = new TokenMemo[tokens.Length];
        _memoOf = new int[tokens.Length];
        _removedBy = new int[tokens.Length];
        _accepted = new bool[tokens.Length];
        _removedBy.AsSpan().Fill(NotRemoved);
        var distinct = 0;
        for (var i = 0; i < tokens.Length; i++)
        {
            var memo = 0;
            while (memo < distinct && !_memos[memo].Text.SequenceEqual(tokens[i].Text))
            {
                memo++;
            }

            if (memo == distinct)
            {
                _memos[distinct++] = new(tokens[i], cache, checks);
            }

            _memoOf[i] = memo;
        }
    }

    /// <summary>The token whose claims are the request's: the last accepted one.</summary>
    public AcceptedToken? Identity { get; private set; }

    /// <summary>The rule whose check failed last, see <see cref="AuthenticationResult.Rule"/>.</summary>
    public JwtRuleReference? Refusing { get; private set; }

    /// <summary>A signature was left unverified: the rest says nothing.</summary>
    public readonly bool IsPostponed => Array.Exists(_memos, static m => m.IsPostponed);

    /// <summary>The output headers of the accepted tokens, in the order of acceptance.</summary>
    public readonly ImmutableArray<AppendedHeader> Outputs => [.. _outputs];

    /// <summary>Whether the token at an index was accepted by a rule and taken out.</summary>
    public readonly bool IsRemoved(int index) => _removedBy[index] != NotRemoved;

    /// <summary>Whether the text of the token at an index was accepted by a rule that counts.</summary>
    public readonly bool IsAccepted(int index) => _accepted[_memoOf[index]];

    /// <summary>
    /// No rule is REQUIRED (§5.1): the first rule that accepts ends it. When all fail, the first failing rule's error is the answer, unless it is an unknown issuer:
    /// then the last other error is. A rule that failed once has failed, even when the tokens that it did accept are gone on a second look (§5.3 Q1).
    /// </summary>
    public JwtStatus EvaluateAlternatives(CompiledJwtRule[] rules)
    {
        var first = JwtStatus.Missing;
        var last = JwtStatus.UnknownIssuer;
        JwtRuleReference? firstRule = null;
        JwtRuleReference? lastRule = null;
        foreach (var rule in rules)
        {
            Forget();
            var status = Run(rule);
            if (status == JwtStatus.Ok)
            {
                return JwtStatus.Ok;
            }

            if (first == JwtStatus.Missing)
            {
                (first, firstRule) = (status, Refusing);
            }

            if (status is not (JwtStatus.Missing or JwtStatus.UnknownIssuer))
            {
                (last, lastRule) = (status, Refusing);
            }
        }

        Forget();
        if (first == JwtStatus.Missing)
        {
            return JwtStatus.Ok;
        }

        (first, Refusing) = first == JwtStatus.UnknownIssuer ? (last, lastRule) : (first, firstRule);
        return first;
    }

    /// <summary>A rule is REQUIRED (§5.4): every rule must accept what it finds, a REQUIRED one must find something. The first that fails ends it.</summary>
    public JwtStatus EvaluateAll(CompiledJwtRule[] rules)
    {
        foreach (var rule in rules)
        {
            // A header that two rules write belongs to the later one, even when that one finds no token.
            for (var i = _outputs.Count - 1; i >= 0; i--)
            {
                if (rule.Writes(_outputs[i].Name))
                {
                    _outputs.RemoveAt(i);
                }
            }

            var status = Run(rule);
            if (status == JwtStatus.Missing && !rule.IsRequired)
            {
                continue;
            }

            if (status != JwtStatus.Ok)
            {
                return status;
            }
        }

        return JwtStatus.Ok;
    }

    /// <summary>One rule: every token in its locations must be good. The last collected is the first looked at, so a header's claims are the ones kept (§6).</summary>
    private JwtStatus Run(CompiledJwtRule rule)
    {
        Refusing = null;
        var found = false;
        for (var i = _tokens.Length - 1; i >= 0; i--)
        {
            var location = _tokens[i].Location;
            if (!rule.Reads(location) || (_removedBy[i] != NotRemoved && _removedBy[i] != rule.Ordinal))
            {
                continue;
            }

            found = true;
            ref var memo = ref _memos[_memoOf[i]];
            var status = rule.Check(ref memo, _now);
            if (status != JwtStatus.Ok)
            {
                Refusing = memo.Jwt is null || status == JwtStatus.UnknownIssuer ? null : rule.Reference;
                return status;
            }

            Accept(rule, i);
        }

        Refusing = found || !rule.IsRequired ? null : rule.Reference;
        return found ? JwtStatus.Ok : JwtStatus.Missing;
    }

    private void Accept(CompiledJwtRule rule, int index)
    {
        var accepted = rule.Accept(in _memos[_memoOf[index]]);
        Identity = accepted;
        _accepted[_memoOf[index]] = true;
        foreach (var output in accepted.Outputs)
        {
            _outputs.Add(output);
        }

        if (!rule.Removes(_tokens[index].Location))
        {
            return;
        }

        for (var i = 0; i < _tokens.Length; i++)
        {
            if (_removedBy[i] == NotRemoved && _tokens[i].Location.SharesCarrierWith(_tokens[index].Location))
            {
                _removedBy[i] = rule.Ordinal;
            }
        }
    }

    /// <summary>What a failed alternative accepted counts for nothing; what it removed stays removed, as at Envoy.</summary>
    private void Forget()
    {
        Identity = null;
        _outputs.Clear();
        Array.Clear(_accepted);
    }
}
