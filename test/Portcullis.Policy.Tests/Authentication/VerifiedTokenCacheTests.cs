using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>A remembered token must be told from a new one by nothing but its cost. A hit shows in the identity being the same instance.</summary>
public sealed class VerifiedTokenCacheTests
{
    private const string Uri = "https://keys";

    private static readonly TokenIssuer Issuer = new("i1", JwsAlgorithm.ES256, "k1");
    private static readonly TokenIssuer Other = new("i1", JwsAlgorithm.ES256, "k2");

    private readonly VerifiedTokenCache _cache = new();
    private readonly KeyServers _keys = new KeyServers().Serve(Uri, Issuer.JwksJson);

    private static JwtRule Rule => new() { Issuer = "i1", JwksUri = Uri };

    [Fact]
    public void Authenticate_SameTokenAgain_ReusesWhatWasVerified()
    {
        var stage = Stage(Rule);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        var first = stage.Authenticate(in request, TestPolicies.Now);
        var second = stage.Authenticate(in request, TestPolicies.Now);

        Assert.Same(first.Identity, second.Identity);
        Assert.Same(first.Edits, second.Edits);
        Assert.Equal(1, _cache.Count);
    }

    [Fact]
    public void Authenticate_RememberedTokenPastItsEnd_IsExpiredAndForgotten()
    {
        var stage = Stage(Rule);
        var request = TestRequest.WithBearer(Issuer.Mint("alice", TestPolicies.Now.AddSeconds(10)));
        stage.Authenticate(in request, TestPolicies.Now);

        Assert.Equal(JwtStatus.Ok, stage.Authenticate(in request, TestPolicies.Now.AddSeconds(70)).Status);
        Assert.Equal(JwtStatus.Expired, stage.Authenticate(in request, TestPolicies.Now.AddSeconds(71)).Status);
        Assert.Equal((0, 0), (_cache.Count, _cache.Bytes));
    }

    [Fact]
    public void Authenticate_KeyOfARememberedTokenIsWithdrawn_IsRefusedAtOnceAndForgotten()
    {
        var stage = Stage(Rule);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));
        stage.Authenticate(in request, TestPolicies.Now);

        _keys.Serve(Uri, Other.JwksJson);

        Assert.Equal(JwtStatus.KeyIdAlgorithmMismatch, stage.Authenticate(in request, TestPolicies.Now).Status);
        Assert.Equal(0, _cache.Count);
        Assert.Equal(["k1"], _keys[Uri].NotFound);
    }

    [Fact]
    public void Authenticate_KeysChangeButStillVerify_IsAccepted()
    {
        var stage = Stage(Rule);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));
        stage.Authenticate(in request, TestPolicies.Now);

        _keys.Serve(Uri, TokenIssuer.JwksOf(Other, Issuer));

        Assert.Equal("alice", stage.Authenticate(in request, TestPolicies.Now).Identity?.Subject);
        Assert.Equal(1, _cache.Count);
    }

    [Fact]
    public void Authenticate_RememberedByOneRule_IsCheckedByTheOtherRulesOwnAudienceAndKeys()
    {
        _keys.Serve("https://other", Other.JwksJson);
        var request = TestRequest.WithBearer(Issuer.Mint("alice", null, ("aud", "a")));
        Assert.True(Stage(Rule).Authenticate(in request, TestPolicies.Now).IsAccepted);

        Assert.Equal(JwtStatus.AudienceNotAllowed, Stage(Rule with { Audiences = ["b"] }).Authenticate(in request, TestPolicies.Now).Status);
        Assert.Equal(JwtStatus.UnknownIssuer, Stage(Rule with { Issuer = "i2" }).Authenticate(in request, TestPolicies.Now).Status);
        Assert.Equal(JwtStatus.KeyIdAlgorithmMismatch, Stage(Rule with { JwksUri = "https://other" }).Authenticate(in request, TestPolicies.Now).Status);
        Assert.Equal(1, _cache.Count); // another key set's no does not undo this one's yes
    }

    [Fact]
    public void Authenticate_NewRulesOverTheSameCache_WriteTheirOwnHeaders()
    {
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));
        Stage(Rule with { OutputClaimToHeaders = TestPolicies.Claims(("x-old", "sub")) }).Authenticate(in request, TestPolicies.Now);

        var result = Stage(Rule with { OutputClaimToHeaders = TestPolicies.Claims(("x-new", "sub")) }).Authenticate(in request, TestPolicies.Now);

        Assert.Equal(["x-new: alice"], request.After(result.Edits).Headers.Select(h => $"{h.Name}: {h.Value}"));
    }

    [Fact]
    public void Authenticate_TokenMovesToAnotherLocation_IsRemovedFromThere()
    {
        var stage = Stage(Rule with { FromHeaders = TestPolicies.Header("x-a"), FromParams = ["t"] });
        var token = Issuer.Mint("alice");
        var header = new TestRequest("/", "GET", ("x-a", token));
        stage.Authenticate(in header, TestPolicies.Now);
        var parameter = new TestRequest($"/?t={token}&a=1");

        var result = stage.Authenticate(in parameter, TestPolicies.Now);

        Assert.Equal("/?a=1", parameter.After(result.Edits).Target);
    }

    [Fact]
    public void Authenticate_InvalidTokens_NeverEnter()
    {
        var stage = Stage(Rule);
        foreach (var token in (string[])[TokenIssuer.BreakSignature(Issuer.Mint("alice")), Other.Mint("alice"), "garbage", Issuer.Mint("alice", TestPolicies.Now.AddHours(-1))])
        {
            var request = TestRequest.WithBearer(token);
            Assert.False(stage.Authenticate(in request, TestPolicies.Now).IsAccepted);
        }

        Assert.Equal(0, _cache.Count);
    }

    [Fact]
    public void Add_MoreThanFits_StaysWithinTheBoundAndSparesTokensInUse()
    {
        var cache = new VerifiedTokenCache(60_000);
        var stage = TestPolicies.Compile([TestPolicies.Policy(Rule)], new() { Cache = cache }, _keys).Stage!;
        var used = TestRequest.WithBearer(Issuer.Mint("used"));
        var identity = stage.Authenticate(in used, TestPolicies.Now).Identity;

        for (var i = 0; i < 200; i++)
        {
            Assert.Same(identity, stage.Authenticate(in used, TestPolicies.Now).Identity);
            var once = TestRequest.WithBearer(Issuer.Mint($"once-{i}"));
            Assert.True(stage.Authenticate(in once, TestPolicies.Now).IsAccepted);
            Assert.InRange(cache.Bytes, 1, 60_000);
        }

        Assert.InRange(cache.Count, 2, 40);
        Assert.Equal(201 - cache.Count, cache.Evictions);
    }

    [Fact]
    public void Add_TokenLargerThanTheCache_IsVerifiedEachTime()
    {
        var cache = new VerifiedTokenCache(3000);
        var stage = TestPolicies.Compile([TestPolicies.Policy(Rule)], new() { Cache = cache }, _keys).Stage!;
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        Assert.True(stage.Authenticate(in request, TestPolicies.Now).IsAccepted);
        Assert.True(stage.Authenticate(in request, TestPolicies.Now).IsAccepted);
        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public void Authenticate_FromManyThreads_KeepsTheBooksStraight()
    {
        var cache = new VerifiedTokenCache(60_000);
        var stage = TestPolicies.Compile([TestPolicies.Policy(Rule)], new() { Cache = cache }, _keys).Stage!;
        var tokens = Enumerable.Range(0, 60).Select(i => Issuer.Mint($"s{i}")).ToArray();

        Parallel.For(0, 1000, i =>
        {
            var request = TestRequest.WithBearer(tokens[i * 7 % tokens.Length]);
            Assert.Equal($"s{i * 7 % tokens.Length}", stage.Authenticate(in request, TestPolicies.Now).Identity?.Subject);
        });

        Assert.InRange(cache.Bytes, 1, 60_000);
        Assert.InRange(cache.Count, 1, 60);
    }

    private JwtAuthenticator Stage(JwtRule rule) => TestPolicies.Compile([TestPolicies.Policy(rule)], new() { Cache = _cache }, _keys).Stage!;
}
