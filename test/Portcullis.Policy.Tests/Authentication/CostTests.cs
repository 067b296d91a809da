using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>What authentication may cost: nothing without a token, and the same with one issuer and with five hundred.</summary>
public sealed class CostTests
{
    private static readonly TokenIssuer Issuer = new("i250", JwsAlgorithm.ES256, "k1");

    [Theory]
    [InlineData("/p?a=1&b=%20&c", "Basic dXNlcg==", JwtPresence.Optional)]
    [InlineData("/p", "bearer x", JwtPresence.Required)]
    public void Authenticate_NoToken_AllocatesNothing(string target, string authorization, JwtPresence presence)
    {
        var stage = TestPolicies.Compile([TestPolicies.Policy(new JwtRule
        {
            Issuer = "i250",
            Jwks = Issuer.JwksJson,
            FromHeaders = TestPolicies.Header("authorization", "Bearer "),
            FromParams = ["access_token"],
            FromCookies = ["sid"],
            Presence = presence,
            OutputPayloadToHeader = "x-payload",
        })]).Stage!;
        var request = new TestRequest(target, "GET", ("authorization", authorization), ("cookie", "a=1; b=2"));

        Assert.Equal(0, AllocatedBy(stage, request));
    }

    [Fact]
    public void Authenticate_RememberedToken_AllocatesNothing()
    {
        var stage = TestPolicies.Stage(new AuthenticationOptions { Cache = new() }, new JwtRule
        {
            Issuer = "i250",
            Jwks = Issuer.JwksJson,
            OutputClaimToHeaders = TestPolicies.Claims(("x-sub", "sub")),
        });

        Assert.Equal(0, AllocatedBy(stage, TestRequest.WithBearer(Issuer.Mint("alice"))));
    }

    [Fact]
    public void Authenticate_FiveHundredIssuers_AsksOnlyTheKeysOfTheTokensOwn()
    {
        var resolver = new CountingResolver();
        var stage = JwtAuthenticator.Compile(
            [TestPolicies.Policy([.. Enumerable.Range(0, 500).Select(i => new JwtRule { Issuer = $"i{i}" })])], resolver, new(), [])!;
        var one = TestRequest.WithBearer(Issuer.Mint("alice"));
        var two = new TestRequest($"/?access_token={Issuer.Mint("bob")}", "GET", ("authorization", $"Bearer {Issuer.Mint("alice")}"));

        Assert.Equal("alice", stage.Authenticate(in one, TestPolicies.Now).Identity?.Subject);
        Assert.Equal(["i250"], resolver.Asked);
        Assert.Equal("alice", stage.Authenticate(in two, TestPolicies.Now).Identity?.Subject);
        Assert.Equal(["i250", "i250", "i250"], resolver.Asked);
        Assert.Equal(500, stage.Issuers.Length);
    }

    private static long AllocatedBy(JwtAuthenticator stage, TestRequest request)
    {
        for (var i = 0; i < 3; i++)
        {
            stage.Authenticate(in request, TestPolicies.Now);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        stage.Authenticate(in request, TestPolicies.Now);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class CountingResolver : IJwksResolver
    {
        public List<string> Asked { get; } = [];

        public JwksSource Resolve(JwksLocation location) => new Source(location.Issuer!, Asked);

        private sealed class Source(string issuer, List<string> asked) : JwksSource
        {
            private readonly JwksState _state = new(Issuer.KeySet, JwtStatus.VerificationFailed, 0);

            public override JwksState Current
            {
                get
                {
                    asked.Add(issuer);
                    return _state;
                }
            }
        }
    }
}
