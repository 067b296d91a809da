using System.Text;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>
/// Request authentication as authentication.md tells it: a requirement tree, and rules that change the live request as they go. Slow, and made to be read beside
/// the specification. Where it is stricter than Istio, the line says HARDEN.
/// </summary>
internal sealed class ReferenceAuthenticator
{
    private readonly List<(RequestAuthentication Policy, JwtRule Rule)> _rules;
    private readonly bool _exact;
    private readonly Dictionary<string, JsonWebKeySet> _keySets = [];

    private List<Line> _headers = [];
    private string? _query;
    private DateTimeOffset _now;
    private JwtStatus?[] _firstRun = [];
    private (int Rule, JsonWebToken Token)? _identity;
    private HashSet<string> _accepted = [];

    /// <param name="attached">Workload namespace first, then root.</param>
    /// <param name="exact">Istio-exact mode.</param>
    public ReferenceAuthenticator(IEnumerable<RequestAuthentication> attached, bool exact)
    {
        _rules = [.. attached.SelectMany(p => p.JwtRules.Select(r => (p, r))).OrderBy(r => r.r.Issuer ?? "", StringComparer.Ordinal)];
        _exact = exact;
    }

    public Answer Authenticate(TestRequest request, DateTimeOffset now)
    {
        _headers = [.. request.Headers.Select(h => new Line(h.Name, h.Value, FromClient: true))];
        (_query, _now, _identity, _accepted) = (request.Query, now, null, []);
        _firstRun = new JwtStatus?[_rules.Count];

        var isPreflight = request.Method == "OPTIONS"
            && request.Lines("origin").Any(v => v.Length > 0) && request.Lines("access-control-request-method").Any(v => v.Length > 0);
        var status = isPreflight ? JwtStatus.Ok : Evaluate(Tree());
        if (status != JwtStatus.Ok)
        {
            return new(status, null, null, [], null);
        }

        // HARDEN Q2: whatever the client sent under the name of an output header goes, whether or not its rule ran.
        _headers.RemoveAll(h => h.FromClient && _rules.Any(r => OutputHeaders(r.Rule).Contains(h.Name, StringComparer.OrdinalIgnoreCase)));
        if (!_exact && !isPreflight)
        {
            RemoveUnverified();
        }

        return new(
            JwtStatus.Ok,
            _identity?.Token.Subject,
            _identity is { } identity ? RuleName(identity.Rule) : null,
            [.. _headers.Select(h => $"{h.Name.ToLowerInvariant()}: {h.Value}").Order(StringComparer.Ordinal)],
            _query);
    }

    // §5, §5.4 -------------------------------------------------------------------------------------------------------------------------------

    private Requirement Tree()
    {
        var providers = Enumerable.Range(0, _rules.Count).Select(i => new Provider(i)).ToArray();
        if (_rules.Any(r => r.Rule.Presence == JwtPresence.Required))
        {
            return new All([.. providers.Select(p => IsRequired(p) ? (Requirement)p : new Any([p], MissingIsFine: true))]);
        }

        return providers.Length == 1
            ? new Any(providers, MissingIsFine: true)
            : new Any([.. providers, new All([.. providers.Select(p => new Any([p], MissingIsFine: true))])], MissingIsFine: false);

        bool IsRequired(Provider p) => _rules[p.Rule].Rule.Presence == JwtPresence.Required;
    }

    private JwtStatus Evaluate(Requirement requirement) => requirement switch
    {
        Provider(var rule) => RunOnce(rule),
        Any any => EvaluateAny(any),
        All(var children) => children.Select(Evaluate).FirstOrDefault(s => s != JwtStatus.Ok, JwtStatus.Ok),
        _ => throw new InvalidOperationException(),
    };

    private JwtStatus EvaluateAny(Any any)
    {
        var result = JwtStatus.Missing;
        foreach (var child in any.Children)
        {
            var status = Evaluate(child);
            if (status == JwtStatus.Ok)
            {
                return JwtStatus.Ok;
            }

            if (status is not (JwtStatus.Missing or JwtStatus.UnknownIssuer) || result == JwtStatus.Missing)
            {
                result = status;
            }
        }

        return any.MissingIsFine && result == JwtStatus.Missing ? JwtStatus.Ok : result;
    }

    /// <summary>HARDEN Q1: a rule that failed stays failed; a second run would not see the tokens that the first one removed.</summary>
    private JwtStatus RunOnce(int rule) => _firstRun[rule] ??= Run(rule);

    // §6–§10 ---------------------------------------------------------------------------------------------------------------------------------

    private JwtStatus Run(int index)
    {
        var rule = _rules[index].Rule;
        var before = (_identity, Accepted: _accepted.ToHashSet());
        _headers = [.. _headers.Where(h => !OutputHeaders(rule).Contains(h.Name, StringComparer.OrdinalIgnoreCase))];
        var found = Extract(rule, _headers, _query);
        if (found.Count == 0)
        {
            return JwtStatus.Missing;
        }

        var appended = new List<Line>();
        for (var i = found.Count - 1; i >= 0; i--)
        {
            var status = Verify(rule, found[i].Token, out var jwt);
            if (status != JwtStatus.Ok)
            {
                // HARDEN: of a rule that fails in the end nothing is handed on.
                (_identity, _accepted) = (before._identity, before.Accepted);
                return status;
            }

            if (rule.OutputPayloadToHeader is { } header)
            {
                appended.Add(new(header, jwt!.PayloadSegment, FromClient: false));
            }

            appended.AddRange(rule.OutputClaimToHeaders.Where(c => c.Claim == "sub" && jwt!.Subject is not null).Select(c => new Line(c.Header, jwt!.Subject!, FromClient: false)));
            if (!rule.ForwardOriginalToken)
            {
                Remove(found[i].Place, _rules[index].Policy);
            }

            _identity = (index, jwt!);
            _accepted.Add(found[i].Token);
        }

        _headers.AddRange(appended);
        return JwtStatus.Ok;
    }

    private JwtStatus Verify(JwtRule rule, string token, out JsonWebToken? jwt)
    {
        var status = JsonWebToken.TryParse(token, out jwt);
        if (status != JwtStatus.Ok)
        {
            return status;
        }

        if (rule.Issuer is not null && rule.Issuer != jwt!.Issuer)
        {
            return JwtStatus.UnknownIssuer;
        }

        status = jwt!.CheckLifetime(_now, TimeSpan.FromSeconds(60));
        if (status != JwtStatus.Ok)
        {
            return status;
        }

        if (!new AudienceSet(rule.Audiences).Accepts(jwt.Audiences))
        {
            return JwtStatus.AudienceNotAllowed;
        }

        if (!_keySets.TryGetValue(rule.Jwks!, out var keys))
        {
            _keySets[rule.Jwks!] = keys = JsonWebKeySet.Parse(rule.Jwks!);
        }

        return jwt.VerifySignature(keys);
    }

    /// <summary>HARDEN: tokens are read from what the client sent, never from what another rule wrote.</summary>
    private static List<(Place Place, string Token)> Extract(JwtRule rule, List<Line> headers, string? query)
    {
        var noPlace = rule.FromHeaders.IsEmpty && rule.FromParams.IsEmpty && rule.FromCookies.IsEmpty;
        var fromHeaders = noPlace ? TestPolicies.Header("Authorization", "Bearer ") : rule.FromHeaders;
        IEnumerable<string> fromParams = noPlace ? ["access_token"] : rule.FromParams;
        var found = new List<(Place, string)>();
        foreach (var location in fromHeaders.Distinct().OrderBy(h => h.Name.ToLowerInvariant() + h.Prefix, StringComparer.Ordinal))
        {
            foreach (var line in headers.Where(h => h.FromClient && h.Is(location.Name) && h.Value.Contains(location.Prefix, StringComparison.Ordinal)))
            {
                var after = line.Value[(line.Value.IndexOf(location.Prefix, StringComparison.Ordinal) + location.Prefix.Length)..];
                var token = location.Prefix.Length == 0 ? after : string.Concat(after.SkipWhile(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')));
                found.Add((new(TokenIn.Header, location.Name), token.Length > 0 || location.Prefix.Length == 0 ? token : line.Value));
            }
        }

        foreach (var name in fromParams.Distinct().Order(StringComparer.Ordinal))
        {
            if (Pieces(query).Where(p => Decode(p.Split('=', 2)[0]) == name).Take(1).ToArray() is [var piece])
            {
                found.Add((new(TokenIn.Parameter, name), piece.Split('=', 2) is [_, var value] ? Decode(value) : ""));
            }
        }

        var cookies = headers.Where(h => h.FromClient && h.Is("cookie")).SelectMany(h => h.Value.Split(';')).Where(c => c.Contains('=')).ToArray();
        foreach (var name in rule.FromCookies.Distinct().Order(StringComparer.Ordinal))
        {
            if (cookies.Where(c => c.Split('=', 2)[0].TrimStart(' ') == name).Take(1).ToArray() is [var cookie])
            {
                var value = cookie.Split('=', 2)[1];
                found.Add((new(TokenIn.Cookie, name), value is ['"', .. var inner, '"'] ? inner : value));
            }
        }

        return found;
    }

    private void Remove(Place place, RequestAuthentication policy)
    {
        switch (place.In)
        {
            case TokenIn.Header:
                _headers.RemoveAll(h => h.Is(place.Name));
                break;
            case TokenIn.Parameter:
                RemoveParameter(place.Name, keepFirst: false);
                break;
            case TokenIn.Cookie when policy.Metadata.Annotations.ContainsKey(PolicyAnnotations.RemoveTokenCookie):
                _headers = [.. _headers.Select(h => h.Is("cookie") && h.FromClient ? h with { Value = WithoutCookie(h.Value, place.Name) } : h)
                    .Where(h => !h.Is("cookie") || h.Value.Length > 0)];
                break;
        }
    }

    /// <summary>HARDEN §5.2: a token in a place that a rule reads, which no rule accepted, does not reach the backend.</summary>
    private void RemoveUnverified()
    {
        foreach (var (policy, rule) in _rules)
        {
            foreach (var (place, token) in Extract(rule, _headers, _query))
            {
                if (!_accepted.Contains(token))
                {
                    Remove(place, policy);
                }
                else if (place.In == TokenIn.Parameter)
                {
                    RemoveParameter(place.Name, keepFirst: true);
                }
            }
        }
    }

    /// <summary>HARDEN §10.3: the query's own text, without the parameter.</summary>
    private void RemoveParameter(string name, bool keepFirst)
    {
        var kept = new List<string>();
        foreach (var piece in Pieces(_query))
        {
            var isToken = Decode(piece.Split('=', 2)[0]) == name;
            if (!isToken || keepFirst)
            {
                kept.Add(piece);
                keepFirst &= !isToken;
            }
        }

        var rest = string.Join('&', kept);
        _query = kept.Count == Pieces(_query).Length ? _query : rest.Length == 0 ? null : rest;
    }

    private static string WithoutCookie(string line, string name)
    {
        var kept = line.Split(';').Where(c => !c.Contains('=') || c.Split('=', 2)[0].TrimStart(' ') != name).ToArray();
        return kept.Length == line.Split(';').Length ? line : string.Join(';', kept).Trim(' ', ';');
    }

    private static string[] Pieces(string? query) => query?.Split('&') ?? [];

    private static string Decode(string text)
    {
        var decoded = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                decoded.Append((char)Convert.ToByte(text.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                decoded.Append(text[i]);
            }
        }

        return decoded.ToString();
    }

    private static IEnumerable<string> OutputHeaders(JwtRule rule) =>
        rule.OutputClaimToHeaders.Select(c => c.Header).Concat(rule.OutputPayloadToHeader is { } header ? [header] : []);

    private string RuleName(int index)
    {
        var (policy, rule) = _rules[index];
        return $"{policy.Metadata.Name}[{policy.JwtRules.IndexOf(rule, 0, ReferenceEqualityComparer.Instance)}]";
    }

    private enum TokenIn
    {
        Header,
        Parameter,
        Cookie,
    }

    private readonly record struct Place(TokenIn In, string Name);

    private sealed record Line(string Name, string Value, bool FromClient)
    {
        public bool Is(string name) => string.Equals(Name, name, StringComparison.OrdinalIgnoreCase);
    }

    private abstract record Requirement;

    private sealed record Provider(int Rule) : Requirement;

    private sealed record Any(Requirement[] Children, bool MissingIsFine) : Requirement;

    private sealed record All(Requirement[] Children) : Requirement;
}

/// <summary>What can be told apart from outside.</summary>
internal sealed record Answer(JwtStatus Status, string? Subject, string? Rule, string[] Headers, string? Query)
{
    public static Answer Of(AuthenticationResult result, TestRequest request)
    {
        if (!result.IsAccepted)
        {
            return new(result.Status, null, null, [], null);
        }

        var forwarded = request.After(result.Edits);
        return new(
            JwtStatus.Ok,
            result.Identity?.Subject,
            result.Rule is { } rule ? $"{rule.Policy.Name}[{rule.Index}]" : null,
            [.. forwarded.Headers.Select(h => $"{h.Name.ToLowerInvariant()}: {h.Value}").Order(StringComparer.Ordinal)],
            forwarded.Query);
    }

    public bool Equals(Answer? other) => other is not null && ToString() == other.ToString();

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"{Status} {Subject} by {Rule}\n?{Query ?? "(none)"}\n{string.Join('\n', Headers)}";
}
