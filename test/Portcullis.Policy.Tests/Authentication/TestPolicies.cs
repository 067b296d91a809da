using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>Policies, and the stage made of them, without the noise.</summary>
internal static class TestPolicies
{
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    public static RequestAuthentication Policy(params ReadOnlySpan<JwtRule> rules) => PolicyIn("istio-system", rules);

    public static RequestAuthentication PolicyIn(string @namespace, params ReadOnlySpan<JwtRule> rules) => new()
    {
        ApiVersion = "security.istio.io/v1",
        Kind = "RequestAuthentication",
        Metadata = new() { Name = "jwt", Namespace = @namespace },
        Origin = NoOrigin.Instance,
        JwtRules = [.. rules],
    };

    public static RequestAuthentication Annotated(this RequestAuthentication policy, string key, string value) =>
        policy with { Metadata = policy.Metadata with { Annotations = policy.Metadata.Annotations.SetItem(key, value) } };

    /// <summary>Compiles rules that must be without a problem.</summary>
    public static JwtAuthenticator Stage(params ReadOnlySpan<JwtRule> rules) => Stage(new AuthenticationOptions(), rules);

    public static JwtAuthenticator Stage(AuthenticationOptions options, params ReadOnlySpan<JwtRule> rules) =>
        Compile([Policy(rules)], options).Stage ?? throw new InvalidOperationException("no rules");

    public static (JwtAuthenticator? Stage, List<Problem> Problems) Compile(
        IEnumerable<RequestAuthentication> policies, AuthenticationOptions? options = null, KeyServers? keys = null)
    {
        var problems = new List<Problem>();
        return (JwtAuthenticator.Compile(policies, keys ?? new KeyServers(), options ?? new(), problems), problems);
    }

    public static ImmutableArray<JwtHeaderLocation> Header(string name, string prefix = "") => [new(name, prefix)];

    public static ImmutableArray<ClaimToHeader> Claims(params (string Header, string Claim)[] entries) =>
        [.. entries.Select(e => new ClaimToHeader(e.Header, e.Claim))];

    private sealed class NoOrigin : ResourceOrigin
    {
        public static readonly NoOrigin Instance = new();

        public override string Source => "test";

        public override int Order => 0;

        public override SourcePosition? Locate(string fieldPath) => null;
    }
}

/// <summary>Key servers in memory: what is not registered cannot be reached.</summary>
internal sealed class KeyServers : IJwksResolver
{
    private readonly Dictionary<string, TestJwksSource> _sources = [];

    public List<JwksLocation> Asked { get; } = [];

    public KeyServers Serve(string uri, string jwks)
    {
        (_sources.TryGetValue(uri, out var source) ? source : _sources[uri] = new()).Publish(jwks);
        return this;
    }

    public TestJwksSource this[string uri] => _sources[uri];

    public JwksSource Resolve(JwksLocation location)
    {
        Asked.Add(location);
        var uri = location.JwksUri ?? $"{location.Issuer}/.well-known/openid-configuration";
        return _sources.TryGetValue(uri, out var source) ? source : _sources[uri] = new();
    }
}

/// <summary>Keys that a test replaces while a stage uses them.</summary>
internal sealed class TestJwksSource : JwksSource
{
    private JwksState _current = new(null, JwtStatus.VerificationFailed, 0);

    public override JwksState Current => _current;

    public List<string?> NotFound { get; } = [];

    public void Publish(string jwks) => _current = new(JsonWebKeySet.Parse(jwks), JwtStatus.VerificationFailed, _current.Generation + 1);

    public override void KeyNotFound(string? keyId) => NotFound.Add(keyId);
}
