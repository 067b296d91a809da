using System.Text;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.Fuzz;

/// <summary>Keys, and the only tokens that were ever signed with them: every other text that verifies is a forgery.</summary>
public sealed class SignedTokens
{
    private static readonly string[] Payloads =
    [
        """{"iss":"testing@asm.test.io","sub":"demo","exp":4102444800}""",
        """{"iss":"https://issuer.example/","sub":"a","aud":["x","https://api.example/"],"exp":4102444800,"nbf":1,"iat":1.5e9,"jti":"1","scope":"read write","nested":{"a":[1,null,true,{"b":"\ud83d\ude00"}]}}""",
        "{}",
    ];

    private readonly HashSet<string> _signed = [];

    public SignedTokens()
    {
        // Through PEM it loses its `alg`, and serves all six.
        JsonWebKey.TryFromPem(JsonWebKey.Generate(JwsAlgorithm.RS256).ToPem(includePrivate: true)!, out var rsa, out _);
        Issuers =
        [
            .. JwsAlgorithms.All.Select(a => new TokenIssuer("testing@asm.test.io", a.Name[0] is 'R' or 'P' ? rsa!.With("rsa") : JsonWebKey.Generate(a, a.Name))),
        ];
        KeySetJson = TokenIssuer.JwksOf(Issuers.DistinctBy(i => i.Key.KeyId));
        Keys = JsonWebKeySet.Parse(KeySetJson);
        foreach (var (issuer, algorithm) in Issuers.Zip(JwsAlgorithms.All))
        {
            string[] headers = [$$"""{"alg":"{{algorithm.Name}}","kid":"{{issuer.Key.KeyId}}","typ":"JWT"}""", $$"""{"alg":"{{algorithm.Name}}"}"""];
            foreach (var header in headers)
            {
                foreach (var payload in Payloads)
                {
                    _signed.Add(JwtSigner.SignCompact(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload), issuer.Key, algorithm));
                }
            }
        }

        Outsider = new TokenIssuer("outsider", JwsAlgorithm.ES256, "outsider");
        OutsiderToken = Outsider.Sign("""{"alg":"ES256"}""", "{}");
    }

    public IReadOnlyList<TokenIssuer> Issuers { get; }

    public string KeySetJson { get; }

    public JsonWebKeySet Keys { get; }

    public IReadOnlyCollection<string> All => _signed;

    /// <summary>An issuer whose key is in no seed: no set that is made of the seeds may verify its token.</summary>
    public TokenIssuer Outsider { get; }

    /// <summary>Without <c>kid</c>, so that every key that fits is tried.</summary>
    public string OutsiderToken { get; }

    public bool WasSigned(string token) => _signed.Contains(token);
}
