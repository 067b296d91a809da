using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Policy.Authorization;
using Portcullis.Resources;

namespace Portcullis.Policy.Diagnosis;

/// <summary>Asks every JWT rule of a configuration about a token, and then the whole gateway: what <c>portcullis jwt verify -f</c> says.</summary>
public sealed class TokenDiagnostician
{
    private readonly ImmutableArray<RequestAuthentication> _attached;
    private readonly ImmutableArray<string> _notAttached;
    private readonly RecordingResolver _keys;
    private readonly JwtRuleProgram _program;
    private readonly JwtRuleSource[] _sources;
    private readonly JwtAuthenticator? _authenticator;
    private readonly Authorizer _authorizer;
    private readonly DenialExplanation _denials;

    /// <summary>Compiles what decides about tokens.</summary>
    /// <param name="resources">The configuration.</param>
    /// <param name="workload">The gateway.</param>
    /// <param name="keys">Asked for every rule without inline keys; <see langword="null"/>: such keys are not known.</param>
    public TokenDiagnostician(ResourceSet resources, WorkloadIdentity workload, IJwksResolver? keys)
    {
        ArgumentNullException.ThrowIfNull(resources);
        ArgumentNullException.ThrowIfNull(workload);
        workload = resources.Mesh.RootNamespace is { } root ? workload with { RootNamespace = root } : workload;
        var policies = resources.OfType<RequestAuthentication>().ToList();
        _attached = [.. policies.Where(p => PolicyAttachment.AppliesTo(p, p.Selection, workload))];
        _notAttached = [.. policies.Except(_attached).Select(p => Attachment.Explain(p, workload))];
        _keys = new(keys);
        var options = AuthenticationOptions.For(resources.Mesh, workload);
        _program = JwtRuleProgram.Compile(_attached, _keys, options, []);
        _sources = [.. _program.Rules.Select(SourceOf)];
        _authenticator = JwtAuthenticator.Compile(_attached, _keys, options, []);
        _authorizer = Authorizer.Compile(resources.OfType<AuthorizationPolicy>(), resources.Mesh, workload, _attached.SelectMany(a => a.JwtRules).Select(r => r.Issuer), []);
        _denials = new(resources.OfType<AuthorizationPolicy>().Where(p => PolicyAttachment.AppliesTo(p, p.Selection, workload)), resources.Mesh);
    }

    /// <summary>Whether any rule's keys come from a key server.</summary>
    public bool HasRemoteKeys => _keys.HasAny;

    /// <summary>Diagnoses one token.</summary>
    /// <param name="request">What it is sent with.</param>
    /// <param name="token">Without prefix; <see langword="null"/> for a request without one.</param>
    /// <param name="carrier">Where in the request it is.</param>
    /// <param name="keyFailure">Why the keys of a location could not be fetched; <see langword="null"/> for no failure.</param>
    /// <param name="now">The time that the token's times are held against.</param>
    public TokenDiagnosis Diagnose(RequestSketch request, string? token, TokenCarrier carrier, Func<JwksLocation, string?> keyFailure, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(carrier);
        ArgumentNullException.ThrowIfNull(keyFailure);
        var sent = token is null ? request : request.With(carrier, token);
        JsonWebToken? jwt = null;
        var status = token is null ? JwtStatus.Missing : JsonWebToken.TryParse(token, out jwt);
        var rules = token is null
            ? []
            : _program.Rules.Select((r, i) => Judge(r, _sources[i], in sent, token, jwt, status, keyFailure, now)).ToImmutableArray();
        return new()
        {
            Status = status,
            Finding = token is null || jwt is not null ? null : FormExplanation.Explain(status, token),
            Token = jwt,
            Rules = rules,
            NotAttached = _notAttached,
            Answer = Answer(in sent, rules, now),
        };
    }

    private RuleVerdict Judge(
        CompiledJwtRule rule, JwtRuleSource source, ref readonly RequestSketch request, string token, JsonWebToken? jwt, JwtStatus status,
        Func<JwksLocation, string?> keyFailure, DateTimeOffset now)
    {
        var location = _keys.LocationOf(rule.Keys);
        var found = Find(rule, in request, token);
        var findings = ImmutableArray.CreateBuilder<TokenFinding>();
        var keysUnknown = false;
        if (jwt is not null)
        {
            var memo = new TokenMemo(new(new(TokenLocationKind.Header, "", "", 0), token, 0, token.Length), cache: null);
            status = rule.Check(ref memo, now);
            var failure = location is null ? null : keyFailure(location);
            keysUnknown = location is not null && rule.Keys.Current.Keys is null && failure is null && status == JwtStatus.VerificationFailed;
            status = keysUnknown ? JwtStatus.Ok : status;
            if (status != JwtStatus.Ok)
            {
                findings.Add(CheckExplanation.Explain(status, jwt, source, KeysOf(rule, source, location, failure), now));
            }

            if (keysUnknown)
            {
                findings.Add(new($"all other checks pass; the signature was not checked, because the keys of {KeysName(source)} were not fetched", "add --online to fetch them"));
            }

            if (CheckExplanation.Clocks(jwt, now) is { } clocks)
            {
                findings.Add(clocks);
            }
        }

        if (found is null)
        {
            findings.Add(new(
                $"the rule does not look where the token is: it reads {string.Join(" and ", rule.Locations.Select(l => l.ToString()))}",
                rule.Locations.Length == 0 ? "another rule deletes that header before this one looks" : $"send it there, or try `--in {TokenCarrier.Write(rule.Locations[0])}`"));
        }

        return new()
        {
            Rule = rule.Reference,
            Source = source.Policy.Origin.Locate(source.FieldPath) is { } at ? $"{source.Policy.Origin.Source}:{at.Line}" : source.Policy.Origin.Source,
            Issuer = rule.Issuer,
            Reads = [.. rule.Locations.Select(l => l.ToString())],
            FoundIn = found,
            Status = status,
            KeysUnknown = keysUnknown,
            Findings = findings.DrainToImmutable(),
            Principal = status == JwtStatus.Ok && jwt is not null ? DenialExplanation.PrincipalOf(jwt.Issuer, jwt.Subject) : null,
        };
    }

    private static string? Find(CompiledJwtRule rule, ref readonly RequestSketch request, string token)
    {
        var tokens = new PresentedTokens();
        new TokenScanner(rule.Locations).Scan(in request, ref tokens);
        foreach (var presented in tokens.Span)
        {
            if (presented.Text.SequenceEqual(token))
            {
                return presented.Location.ToString();
            }
        }

        return null;
    }

    private static RuleKeys KeysOf(CompiledJwtRule rule, JwtRuleSource source, JwksLocation? location, string? failure)
    {
        var set = rule.Keys.Current.Keys;
        return location is null
            ? new(set, IsRemote: false, "the rule's `jwks`", new(
                set is null ? "the rule says nowhere where its keys are" : $"no key of the rule's `jwks` can be used: {set.Status.Message}",
                "`portcullis check -f …` names what is wrong with each key"))
            : new(set, IsRemote: true, KeysName(source), KeyServerExplanation.Explain(KeysName(source), failure ?? "the keys have not arrived"));
    }

    private static string KeysName(JwtRuleSource source) =>
        string.IsNullOrEmpty(source.Rule.JwksUri) ? $"the issuer's OpenID discovery document ({source.Rule.Issuer})" : $"jwksUri {KeyServerExplanation.WithoutSecrets(source.Rule.JwksUri)}";

    private GatewayAnswer Answer(ref readonly RequestSketch request, ImmutableArray<RuleVerdict> rules, DateTimeOffset now)
    {
        if (_authorizer.EvaluateCustom(in request) is { } custom)
        {
            return new(null, null, IsKnown: false, new(
                $"the CUSTOM policy {custom.PolicyId} asks the external authorizer `{custom.Provider}` before any token is looked at",
                "only a running gateway asks it; leave the path of that policy to see what the token does"));
        }

        var authenticated = default(AuthenticationResult);
        if (_authenticator is { } authenticator)
        {
            authenticated = authenticator.Authenticate(in request, now);
            if (!authenticated.IsAccepted && authenticated.Status == JwtStatus.VerificationFailed && rules.Any(r => r.KeysUnknown && r.FoundIn is not null))
            {
                return new(null, null, IsKnown: false, new("it depends on the signature, and the keys were not fetched", "add --online to fetch them"));
            }

            if (!authenticated.IsAccepted)
            {
                return new(authenticated.Status.HttpStatusCode, authenticated.Status.Message, IsKnown: true, new(
                    authenticated.Rule is { } rule ? $"{rule} refuses the request" : "the token fails before any rule's own check", null));
            }
        }

        var after = request.After(in authenticated);
        var decision = _authorizer.Evaluate(in after);
        return _denials.Explain(decision, authenticated.Identity, hasRules: _program.Rules.Length > 0);
    }

    private JwtRuleSource SourceOf(CompiledJwtRule rule)
    {
        var policy = _attached.First(p => p.Id == rule.Reference.Policy);
        return new(policy, policy.JwtRules[rule.Reference.Index], rule.Reference.Index);
    }

    /// <summary>Remembers which source serves which location; without a resolver no keys are known.</summary>
    private sealed class RecordingResolver(IJwksResolver? inner) : IJwksResolver
    {
        private readonly Dictionary<JwksSource, JwksLocation> _locations = [];

        public bool HasAny => _locations.Count > 0;

        public JwksSource Resolve(JwksLocation location)
        {
            var source = inner?.Resolve(location) ?? new NotFetched();
            _locations[source] = location;
            return source;
        }

        public JwksLocation? LocationOf(JwksSource source) => _locations.GetValueOrDefault(source);
    }

    private sealed class NotFetched : JwksSource
    {
        public override JwksState Current { get; } = new(null, JwtStatus.VerificationFailed, Generation: 0);
    }
}
