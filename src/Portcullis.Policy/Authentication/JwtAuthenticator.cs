using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Matching;
using Portcullis.Resources;

namespace Portcullis.Policy.Authentication;

/// <summary>
/// The JWT stage of a gateway: all RequestAuthentications attached to it, compiled (authentication.md §5–§10). Immutable but for its cache; safe for concurrent use.
/// </summary>
public sealed class JwtAuthenticator
{
    private readonly CompiledJwtRule[] _rules;
    private readonly TokenScanner _scanner;
    private readonly IssuerIndex[] _readers;
    private readonly ImmutableArray<string> _outputHeaders;
    private readonly RequestEdits? _sanitising;
    private readonly AuthenticationResult _bypassed;
    private readonly AuthenticationResult _withoutToken;
    private readonly VerifiedTokenCache? _cache;
    private readonly bool _requires;
    private readonly bool _exact;

    private JwtAuthenticator(JwtRuleProgram program, AuthenticationOptions options)
    {
        _rules = program.Rules;
        _scanner = new(program.Locations);
        _readers = [.. program.Locations.Select(l => new IssuerIndex([.. _rules.Where(r => r.Reads(l))]))];
        _outputHeaders = program.OutputHeaders;
        _sanitising = _outputHeaders.IsEmpty ? null : new(_outputHeaders, []);
        _bypassed = new(JwtStatus.Ok, null, _sanitising, null);
        var required = Array.Find(_rules, r => r.IsRequired);
        _requires = required is not null;
        _withoutToken = required is null ? _bypassed : new(JwtStatus.Missing, null, null, required.Reference);
        _cache = options.Cache;
        _exact = options.IstioExact;
        Issuers = [.. _rules.Where(r => r.Issuer is not null).Select(r => r.Issuer!).Distinct(StringComparer.Ordinal)];
        AcceptsAnyIssuer = Array.Exists(_rules, r => r.Issuer is null);
    }

    /// <summary>The issuers of all rules, without repetition.</summary>
    public ImmutableArray<string> Issuers { get; }

    /// <summary>Whether a rule names no issuer, and so accepts every one.</summary>
    public bool AcceptsAnyIssuer { get; }

    /// <summary>For explanations: the rules in issuer order.</summary>
    internal CompiledJwtRule[] Rules => _rules;

    /// <summary>For explanations: finds the tokens of a request.</summary>
    internal TokenScanner Scanner => _scanner;

    /// <summary>For explanations: the result for a request without a token.</summary>
    internal AuthenticationResult WithoutToken => _withoutToken;

    /// <summary>For explanations: the edits that go with an accepted token that stands nowhere in the request.</summary>
    internal RequestEdits? EditsFor(AcceptedToken accepted) => new RequestEditor(_outputHeaders).Build(accepted.Outputs, _sanitising);

    /// <summary>Compiles the rules of all attached policies into one stage. Nothing is fetched.</summary>
    /// <param name="attached">The policies that apply to the gateway's workload, those of one namespace oldest first.</param>
    /// <param name="keys">Asked for every rule without inline keys.</param>
    /// <param name="options">What the mesh says.</param>
    /// <param name="problems">Receives what is wrong or suspicious. A rule with a problem stays in force: what is wrong with it makes its tokens fail.</param>
    /// <returns><see langword="null"/> when no rule is attached: then the stage does not exist, and tokens are not looked at.</returns>
    public static JwtAuthenticator? Compile(
        IEnumerable<RequestAuthentication> attached, IJwksResolver keys, AuthenticationOptions options, ICollection<Problem> problems)
    {
        var program = JwtRuleProgram.Compile(attached, keys, options, problems);
        return program.Rules.Length == 0 ? null : new(program, options);
    }

    /// <summary>
    /// Authenticates a request. A preflight passes unseen, save that its output headers are removed. Without a token in any location this allocates nothing.
    /// </summary>
    /// <param name="request">The request after path normalisation and before any change.</param>
    /// <param name="now">Compared with the token's times in whole seconds.</param>
    /// <param name="checks">Whether signatures that are not remembered are verified here.</param>
    public AuthenticationResult Authenticate<TRequest>(ref readonly TRequest request, DateTimeOffset now, SignatureChecks checks = SignatureChecks.Verify)
        where TRequest : struct, IRequestAttributes
    {
        if (IsPreflight(in request))
        {
            return _bypassed;
        }

        var tokens = new PresentedTokens();
        _scanner.Scan(in request, ref tokens);
        return tokens.Count switch
        {
            0 => _withoutToken,
            1 when !_requires => AuthenticateOne(in request, tokens.Span[0], now, checks),
            _ => AuthenticateSeveral(in request, tokens.Span, now, checks),
        };
    }

    /// <summary>What a CORS preflight is (authentication.md §12).</summary>
    public static bool IsPreflight<TRequest>(ref readonly TRequest request) where TRequest : struct, IRequestAttributes =>
        request.Method == "OPTIONS" && IsPresent(request.GetHeader("origin")) && IsPresent(request.GetHeader("access-control-request-method"));

    /// <summary>Several lines count as one with commas in it, so only a single empty line is empty.</summary>
    private static bool IsPresent(HeaderValues lines) => lines.Count > 1 || (lines.Count == 1 && lines[0].Length > 0);

    /// <summary>The usual request, one token and alternatives only: what the tree says, by looking the issuer up.</summary>
    private AuthenticationResult AuthenticateOne<TRequest>(ref readonly TRequest request, PresentedToken token, DateTimeOffset now, SignatureChecks checks)
        where TRequest : struct, IRequestAttributes
    {
        var memo = new TokenMemo(token, _cache, checks);
        var status = memo.Read(now);
        if (status != JwtStatus.Ok)
        {
            return new(status, null, null, null);
        }

        var readers = _readers[token.Location.Index];
        var (last, lastRule) = (JwtStatus.UnknownIssuer, (JwtRuleReference?)null);
        var (first, firstRule) = (last, lastRule);
        foreach (var rule in readers.Of(memo.Jwt!.Issuer))
        {
            status = rule.CheckOfIssuer(ref memo, now);
            if (status == JwtStatus.Ok)
            {
                return Accept(in request, token, rule.Accept(in memo));
            }

            if (memo.IsPostponed)
            {
                return AuthenticationResult.Postponed;
            }

            (last, lastRule) = (status, rule.Reference);
            if (ReferenceEquals(rule, readers.First))
            {
                (first, firstRule) = (last, lastRule);
            }
        }

        return first == JwtStatus.UnknownIssuer ? new(last, null, null, lastRule) : new(first, null, null, firstRule);
    }

    private AuthenticationResult Accept<TRequest>(ref readonly TRequest request, PresentedToken token, AcceptedToken accepted)
        where TRequest : struct, IRequestAttributes
    {
        var location = token.Location;
        if (!accepted.TryGetEdits(location, out var edits))
        {
            var editor = new RequestEditor(_outputHeaders);
            var removes = accepted.Rule.Removes(location);
            if (removes)
            {
                editor.Remove(location, in request);
            }
            else if (location.Kind == TokenLocationKind.Parameter && !_exact)
            {
                editor.RemoveRepeated(location, in request);
            }

            edits = editor.Build(accepted.Outputs, _sanitising);
            if (location.Kind == TokenLocationKind.Header || (location.Kind == TokenLocationKind.Cookie && !removes))
            {
                accepted.KeepEdits(location, edits);
            }
        }

        return new(JwtStatus.Ok, accepted.Identity, edits, accepted.Rule.Reference);
    }

    private AuthenticationResult AuthenticateSeveral<TRequest>(ref readonly TRequest request, ReadOnlySpan<PresentedToken> tokens, DateTimeOffset now, SignatureChecks checks)
        where TRequest : struct, IRequestAttributes
    {
        var run = new SeveralTokens(tokens, _cache, checks, now);
        var status = _requires ? run.EvaluateAll(_rules) : run.EvaluateAlternatives(_rules);
        if (run.IsPostponed)
        {
            return AuthenticationResult.Postponed;
        }

        if (status != JwtStatus.Ok)
        {
            return new(status, null, null, run.Refusing);
        }

        var editor = new RequestEditor(_outputHeaders);
        for (var i = 0; i < tokens.Length; i++)
        {
            var location = tokens[i].Location;
            if (run.IsRemoved(i))
            {
                editor.Remove(location, in request);
            }
            else if (_exact)
            {
                continue;
            }
            else if (!run.IsAccepted(i))
            {
                RemoveUnverified(location, in request, ref editor);
            }
            else if (location.Kind == TokenLocationKind.Parameter)
            {
                editor.RemoveRepeated(location, in request);
            }
        }

        return new(JwtStatus.Ok, run.Identity?.Identity, editor.Build(run.Outputs, _sanitising), run.Identity?.Rule.Reference);
    }

    /// <summary>
    /// A token in a place that a rule reads, which no rule accepted: another rule's token let the request pass (authentication.md §5.2). A backend would take it
    /// for verified, so it does not get it. Cookies stay unless a policy asks for their removal.
    /// </summary>
    private void RemoveUnverified<TRequest>(TokenLocation location, ref readonly TRequest request, ref RequestEditor editor)
        where TRequest : struct, IRequestAttributes
    {
        var removes = location.Kind != TokenLocationKind.Cookie;
        foreach (var rule in _rules)
        {
            removes = removes || (rule.RemovesTokenCookie && rule.Reads(location));
        }

        if (removes)
        {
            editor.Remove(location, in request);
        }
    }
}
