using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>A token that was refused for its signature costs no second verification, and is never refused for longer than it should be.</summary>
public sealed class RefusedTokenTests
{
    private const string Uri = "https://keys";

    private static readonly TokenIssuer Issuer = new("i1", JwsAlgorithm.ES256, "k1");
    private static readonly TokenIssuer Forger = new("i1", JwsAlgorithm.ES256, "k1");

    private readonly VerifiedTokenCache _cache = new();
    private readonly KeyServers _keys = new KeyServers().Serve(Uri, Issuer.JwksJson);

    [Fact]
    public void Authenticate_ForgedTokenAgain_IsRefusedAlikeWithoutASecondVerification()
    {
        var stage = Stage();
        var request = TestRequest.WithBearer(Forger.Mint("mallory"));

        var first = stage.Authenticate(in request, TestPolicies.Now);
        var second = stage.Authenticate(in request, TestPolicies.Now);

        Assert.Equal(JwtStatus.VerificationFailed, first.Status);
        Assert.Equal(first, second);
        Assert.Equal((1, 1, 0), (_cache.Misses, _cache.Hits, _cache.Count));
    }

    [Fact]
    public void Authenticate_KeysComeThatVerifyARefusedToken_IsAccepted()
    {
        var stage = Stage();
        var request = TestRequest.WithBearer(Forger.Mint("alice"));
        Assert.False(stage.Authenticate(in request, TestPolicies.Now).IsAccepted);

        _keys.Serve(Uri, Forger.JwksJson);

        Assert.True(stage.Authenticate(in request, TestPolicies.Now).IsAccepted);
    }

    [Fact]
    public void Authenticate_RefusedByOneKeySet_IsVerifiedByAnother()
    {
        _keys.Serve("https://other", Forger.JwksJson);
        var request = TestRequest.WithBearer(Forger.Mint("alice"));
        Assert.False(Stage().Authenticate(in request, TestPolicies.Now).IsAccepted);

        var other = TestPolicies.Compile([TestPolicies.Policy(new JwtRule { Issuer = "i1", JwksUri = "https://other" })], new() { Cache = _cache }, _keys).Stage!;

        Assert.True(other.Authenticate(in request, TestPolicies.Now).IsAccepted);
    }

    [Fact]
    public void Authenticate_MoreForgedTokensThanAreRemembered_NeverRefusesAGoodOne()
    {
        var stage = Stage();
        for (var i = 0; i < 5000; i++)
        {
            var forged = TestRequest.WithBearer(Issuer.Mint($"s{i}")[..^6] + "AAAAAA");
            Assert.False(stage.Authenticate(in forged, TestPolicies.Now).IsAccepted);
        }

        var request = TestRequest.WithBearer(Issuer.Mint("alice"));
        Assert.True(stage.Authenticate(in request, TestPolicies.Now).IsAccepted);
    }

    [Fact]
    public void Authenticate_RememberedOnly_PostponesASignatureThatNothingIsKnownOf()
    {
        var stage = Stage();
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        var result = stage.Authenticate(in request, TestPolicies.Now, SignatureChecks.RememberedOnly);

        Assert.True(result.IsPostponed);
        Assert.False(result.IsAccepted);
        Assert.Equal((0, 0), (_cache.Misses, _cache.Count));
    }

    [Fact]
    public void Authenticate_RememberedOnly_AnswersForWhatIsKnown()
    {
        var stage = Stage();
        var good = TestRequest.WithBearer(Issuer.Mint("alice"));
        var forged = TestRequest.WithBearer(Forger.Mint("mallory"));
        var accepted = stage.Authenticate(in good, TestPolicies.Now);
        var refused = stage.Authenticate(in forged, TestPolicies.Now);

        Assert.Equal(accepted, stage.Authenticate(in good, TestPolicies.Now, SignatureChecks.RememberedOnly));
        Assert.Equal(refused, stage.Authenticate(in forged, TestPolicies.Now, SignatureChecks.RememberedOnly));
    }

    [Theory]
    [InlineData("not.a.token")]
    [InlineData("")]
    public void Authenticate_RememberedOnly_AnswersAtOnceWhatNeedsNoSignature(string token)
    {
        var stage = Stage();
        var request = TestRequest.WithBearer(token);

        Assert.Equal(
            stage.Authenticate(in request, TestPolicies.Now), stage.Authenticate(in request, TestPolicies.Now, SignatureChecks.RememberedOnly));
    }

    [Fact]
    public void Authenticate_RememberedOnly_PostponesWhenOneOfSeveralTokensIsUnknown()
    {
        var rule = new JwtRule
        {
            Issuer = "i1",
            JwksUri = Uri,
            FromHeaders = [new JwtHeaderLocation("x-one", ""), new JwtHeaderLocation("x-two", "")],
        };
        var stage = TestPolicies.Compile([TestPolicies.Policy(rule)], new() { Cache = _cache }, _keys).Stage!;
        var known = Issuer.Mint("alice");
        var one = new TestRequest("/", "GET", ("x-one", known));
        Assert.True(stage.Authenticate(in one, TestPolicies.Now).IsAccepted);
        var both = new TestRequest("/", "GET", ("x-one", known), ("x-two", Issuer.Mint("bob")));

        Assert.True(stage.Authenticate(in both, TestPolicies.Now, SignatureChecks.RememberedOnly).IsPostponed);
        Assert.True(stage.Authenticate(in both, TestPolicies.Now).IsAccepted);
    }

    private JwtAuthenticator Stage() => TestPolicies.Compile([TestPolicies.Policy(new JwtRule { Issuer = "i1", JwksUri = Uri })], new() { Cache = _cache }, _keys).Stage!;
}
