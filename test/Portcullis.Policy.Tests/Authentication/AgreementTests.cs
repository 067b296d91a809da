using System.Collections.Immutable;
using FsCheck;
using FsCheck.Xunit;
using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>The compiled stage answers as the reference does, on random rules and random requests.</summary>
public sealed class AgreementTests
{
    private static readonly string?[] Issuers = [null, "i1", "i2", "i3"];
    private static readonly JsonWebKey[] Keys = [JsonWebKey.Generate(JwsAlgorithm.ES256, "k1"), JsonWebKey.Generate(JwsAlgorithm.ES256, "k2")];
    private static readonly string[] KeySets =
    [
        $$"""{"keys":[{{Keys[0].ToJson()}}]}""", $$"""{"keys":[{{Keys[1].ToJson()}}]}""",
        $$"""{"keys":[{{Keys[1].ToJson()}},{{Keys[0].ToJson()}}]}""", """{"keys":[]}""",
    ];

    private static readonly string[] Tokens = [.. MintAll()];
    private static readonly string[] Good = [.. Tokens.Where(t => TokenIssuer.ClaimsOf(t).GetProperty("sub").GetString()!.StartsWith("plain-i", StringComparison.Ordinal))];
    private static readonly VerifiedTokenCache Cache = new(200_000);

    [Property(MaxTest = 1500)]
    public void Authenticate_RandomRulesAndRequest_AgreesWithTheReference(DoNotSize<int> seed) => Check(new Random(seed.Item), required: 0);

    [Property(MaxTest = 800)]
    public void Authenticate_RandomRulesOfWhichSomeAreRequired_AgreesWithTheReference(DoNotSize<int> seed) => Check(new Random(seed.Item), required: 2);

    private static void Check(Random random, int required)
    {
        var policies = Policies(random, required);
        var exact = random.Next(2) == 0;
        var stage = TestPolicies.Compile(policies, new() { IstioExact = exact, Cache = random.Next(2) == 0 ? Cache : null }).Stage!;
        var reference = new ReferenceAuthenticator(policies, exact);
        for (var i = 0; i < 4; i++)
        {
            var request = Request(random);

            var expected = reference.Authenticate(request, TestPolicies.Now);
            var actual = Answer.Of(stage.Authenticate(in request, TestPolicies.Now), request);

            Assert.True(expected == actual, $"expected: {expected}\nactual: {actual}\n{Describe(policies, request, exact)}");
        }
    }

    private static RequestAuthentication[] Policies(Random random, int required)
    {
        var rules = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Rule(random, required)).ToArray();
        var cut = random.Next(rules.Length + 1);
        var annotated = random.Next(3) == 0;
        return [.. new[] { Named("a", rules[..cut], annotated), Named("b", rules[cut..], false) }];
    }

    private static RequestAuthentication Named(string name, JwtRule[] rules, bool removesCookie)
    {
        var policy = TestPolicies.Policy(rules);
        policy = policy with { Metadata = policy.Metadata with { Name = name } };
        return removesCookie ? policy.Annotated(PolicyAnnotations.RemoveTokenCookie, "true") : policy;
    }

    private static JwtRule Rule(Random random, int required) => new()
    {
        Issuer = Pick(random, null, null, "i1", "i1", "i1", "i2", "i2", "i3"),
        Audiences = Pick<ImmutableArray<string>>(random, [], [], [], [], ["a"], ["b"]),
        Jwks = Pick(random, KeySets[0], KeySets[1], KeySets[2], KeySets[2], KeySets[2], KeySets[2], KeySets[2], KeySets[3]),
        FromHeaders = Some(random, 2, new JwtHeaderLocation("x-a", ""), new("X-B", ""), new("x-b", "P "), new("authorization", "Bearer ")),
        FromParams = Some(random, 3, "t", "access_token"),
        FromCookies = Some(random, 4, "c", "d"),
        OutputPayloadToHeader = Pick(random, null, null, null, "x-p", "X-A"),
        OutputClaimToHeaders = Some(random, 4, new ClaimToHeader("x-p", "sub"), new("x-q", "sub"), new("x-b", "sub")),
        ForwardOriginalToken = random.Next(3) == 0,
        Presence = random.Next(3) < required ? JwtPresence.Required : JwtPresence.Optional,
    };

    private static TestRequest Request(Random random)
    {
        var headers = new List<(string, string)>();
        for (var i = random.Next(1, 5); i > 0; i--)
        {
            headers.Add(Pick(random, ("x-a", Token(random)), ("x-b", Token(random)), ("X-b", $"P {Token(random)}"), ("Authorization", $"Bearer {Token(random)}"),
                ("authorization", $"Basic {Token(random)}"), ("x-p", "forged"), ("x-q", "forged"), ("cookie", Cookies(random)), ("Authorization", "Bearer ???")));
        }

        if (random.Next(20) == 0)
        {
            headers.AddRange([("origin", "o"), ("access-control-request-method", "GET")]);
        }

        var pieces = Enumerable.Range(0, random.Next(4))
            .Select(_ => Pick(random, $"t={Token(random)}", $"access_token={Token(random)}", $"%74={Token(random)}", "t", "x=%26", "", "a=1", $"acces%73_token={Token(random)}"))
            .ToArray();
        return new(pieces.Length == 0 || random.Next(2) == 0 ? "/p" : $"/p?{string.Join('&', pieces)}", random.Next(5) == 0 ? "OPTIONS" : "GET", [.. headers]);
    }

    private static string Cookies(Random random) => string.Join("; ", Enumerable.Range(0, random.Next(1, 4))
        .Select(_ => Pick(random, $"c={Token(random)}", $"d=\"{Token(random)}\"", "x=1", "flag", $" c={Token(random)}")));

    private static string Token(Random random) => random.Next(10) switch
    {
        0 => Pick(random, "", "garbage", "a.b.c"),
        < 5 => Tokens[random.Next(Tokens.Length)],
        _ => Pick(random, Good),
    };

    private static IEnumerable<string> MintAll()
    {
        foreach (var issuer in Issuers)
        {
            foreach (var key in Keys)
            {
                var by = new TokenIssuer(issuer ?? "", key);
                var now = TestPolicies.Now.ToUnixTimeSeconds();
                string Mint(string subject, string? audience, long expires) => by.Mint(
                    ("iss", issuer), ("sub", $"{subject}-{issuer}-{key.KeyId}"), ("aud", audience), ("exp", expires));
                yield return Mint("plain", null, now + 1000);
                yield return Mint("plain2", null, now + 1000);
                yield return Mint("for-a", "a", now + 1000);
                yield return Mint("for-b", "b", now + 1000);
                yield return Mint("old", "a", now - 1000);
                yield return TokenIssuer.BreakSignature(Mint("forged", "b", now + 1000));
            }
        }
    }

    private static ImmutableArray<T> Some<T>(Random random, int rarity, params T[] all) =>
        [.. all.Where(_ => random.Next(rarity + 1) == 0)];

    private static T Pick<T>(Random random, params T[] all) => all[random.Next(all.Length)];

    private static string Describe(RequestAuthentication[] policies, TestRequest request, bool exact) =>
        $"exact: {exact}\n{string.Join('\n', policies.SelectMany(p => p.JwtRules).Select(r => $"{r with { Jwks = $"set {Array.IndexOf(KeySets, r.Jwks)}" }} "
            + $"headers [{string.Join(", ", r.FromHeaders)}] params [{string.Join(", ", r.FromParams)}] cookies [{string.Join(", ", r.FromCookies)}] aud [{string.Join(", ", r.Audiences)}] out [{string.Join(", ", r.OutputClaimToHeaders)}]"))}"
        + $"\n{request.Method} {request.Target}\n{string.Join('\n', request.Headers)}";
}
