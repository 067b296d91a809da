using System.Collections.Immutable;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.Resources.PolicyTests;

namespace Portcullis.Gateway.PolicyTests;

/// <summary>
/// Makes tokens that the configured rules accept: every rule gets a key of the tests beside its own, so that all of authentication runs as it does in the
/// gateway, and no identity provider is needed. The key lives as long as this object and is shown to nobody.
/// </summary>
internal sealed class TestTokens
{
    private const string KeyId = "portcullis-test";

    private readonly JsonWebKey _key = JsonWebKey.Generate(JwsAlgorithm.ES256, KeyId);
    private readonly string _publicKey;

    public TestTokens() => _publicKey = _key.ToJson();

    /// <summary>The token of a test, signed.</summary>
    public string Mint(TestClaims claims, DateTimeOffset now) => JwtSigner.Sign(claims.ToJson(now), _key);

    /// <summary>The resources with the key in every rule that carries its keys itself.</summary>
    public ResourceSet AddKeyTo(ResourceSet resources) =>
        new(resources.All.Select(r => r is RequestAuthentication a ? AddKeyTo(a) : r), resources.Problems, resources.Revision) { Mesh = resources.Mesh };

    /// <summary>The same for rules whose keys are fetched.</summary>
    public IJwksResolver AddKeyTo(IJwksResolver keys) => new Resolver(keys, this);

    private RequestAuthentication AddKeyTo(RequestAuthentication authentication) =>
        authentication with { JwtRules = [.. authentication.JwtRules.Select(r => string.IsNullOrEmpty(r.Jwks) ? r : r with { Jwks = AddKeyTo(r.Jwks) })] };

    /// <summary>A set that cannot be used stays as it is: no token of its rule passes, and the author has to know.</summary>
    private string AddKeyTo(string jwks)
    {
        var keys = JsonWebKeySet.Parse(jwks);
        return keys.IsUsable ? Set(keys.Keys) : jwks;
    }

    private string Set(ImmutableArray<JsonWebKey> keys) =>
        $$"""{"keys":[{{string.Join(',', keys.Take(JsonWebKeySet.MaxKeys - 1).Select(k => k.ToJson(includePrivate: k.KeyType == JwkKeyType.Oct)).Append(_publicKey))}}]}""";

    private sealed class Resolver(IJwksResolver keys, TestTokens tokens) : IJwksResolver
    {
        public JwksSource Resolve(JwksLocation location) => new Source(keys.Resolve(location), tokens);
    }

    private sealed class Source(JwksSource fetched, TestTokens tokens) : JwksSource
    {
        private (JsonWebKeySet? From, JwksState State) _last = (null, new(JsonWebKeySet.Parse(tokens.Set([])), JwtStatus.VerificationFailed, 0));

        public override JwksState Current
        {
            get
            {
                var now = fetched.Current;
                if (!ReferenceEquals(_last.From, now.Keys))
                {
                    _last = (now.Keys, new(JsonWebKeySet.Parse(tokens.Set(now.Keys?.Keys ?? [])), now.WhenMissing, now.Generation));
                }

                return _last.State;
            }
        }
    }
}
