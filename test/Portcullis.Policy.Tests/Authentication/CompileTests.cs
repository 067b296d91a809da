using Portcullis.Jose;
using Portcullis.Policy.Authentication;
using Portcullis.Resources;
using Portcullis.TestSupport;

namespace Portcullis.Policy.Tests.Authentication;

/// <summary>Merging, keys and warnings (authentication.md §3, §4, §9).</summary>
public sealed class CompileTests
{
    private static readonly TokenIssuer Issuer = new("i1", JwsAlgorithm.ES256, "k1");

    private static JwtRule Rule => new() { Issuer = "i1", Jwks = Issuer.JwksJson };

    [Fact]
    public void Compile_NoRule_HasNoStage()
    {
        var (stage, problems) = TestPolicies.Compile([TestPolicies.Policy()]);

        Assert.Null(stage);
        Assert.Empty(problems);
    }

    [Fact]
    public void Compile_PoliciesOfTwoNamespaces_RunTheWorkloadsOwnFirstWhereIssuersAreEqual()
    {
        var (stage, _) = TestPolicies.Compile([TestPolicies.PolicyIn("istio-system", Rule), TestPolicies.PolicyIn("edge", Rule)]);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        Assert.Equal("edge", stage!.Authenticate(in request, TestPolicies.Now).Rule?.Policy.Namespace);
    }

    [Fact]
    public void Compile_RuleWithoutIssuer_RunsBeforeAllOthers()
    {
        var (stage, _) = TestPolicies.Compile([TestPolicies.Policy(Rule), TestPolicies.PolicyIn("edge", Rule, Rule with { Issuer = null })]);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        Assert.Equal("edge/jwt jwtRules[1]", stage!.Authenticate(in request, TestPolicies.Now).Rule?.ToString());
        Assert.True(stage.AcceptsAnyIssuer);
        Assert.Equal(["i1"], stage.Issuers);
    }

    [Theory]
    [InlineData("not json", ProblemSeverity.Error, "jwks parse error: Jwks is an invalid JSON")]
    [InlineData("""{"keys":[]}""", ProblemSeverity.Warning, "no key can be used: Jwks doesn't have any valid public key")] // as at Istio, which admits it
    [InlineData("""{"keys":[{"kty":"EC"}]}""", ProblemSeverity.Error, "no key can be used: [x] field is missing for an EC key")]
    public void Compile_UselessInlineKeys_KeepsTheRuleAndRefusesItsTokens(string jwks, ProblemSeverity severity, string message)
    {
        var (stage, problems) = TestPolicies.Compile([TestPolicies.Policy(Rule with { Jwks = jwks })]);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        var problem = Assert.Single(problems);
        Assert.Equal((ProblemCodes.UnusableKeys, severity, message), (problem.Code, problem.Severity, problem.Message));
        Assert.Equal("spec.jwtRules[0].jwks", problem.FieldPath);
        Assert.Equal(JwtStatus.NoValidKeys, stage!.Authenticate(in request, TestPolicies.Now).Status);
    }

    [Fact]
    public void Compile_SecretKeysInline_WarnsWithIstiosText()
    {
        var symmetric = new TokenIssuer("i1", JwsAlgorithm.HS256);
        var jwks = $$"""{"keys":[{{Issuer.JwkJson}},{{Issuer.Key.ToJson(includePrivate: true)}},{{symmetric.JwkJson}}]}""";

        var (_, problems) = TestPolicies.Compile([TestPolicies.Policy(Rule with { Jwks = jwks })]);

        Assert.Equal(
            [1, 2],
            problems.Select(p => p.Message)
                .Where(m => m.EndsWith(" contains private key material; only public keys are used for verification", StringComparison.Ordinal))
                .Select(m => m["jwks key at index ".Length] - '0'));
        Assert.All(problems, p => Assert.Equal(ProblemSeverity.Warning, p.Severity));
        Assert.DoesNotContain(problems, p => p.ToString().Contains(symmetric.Key.ToJson(includePrivate: true).Split('"')[7], StringComparison.Ordinal));
    }

    [Fact]
    public void Compile_RuleWithoutInlineKeys_AsksForItsLocation()
    {
        var keys = new KeyServers();
        var policy = TestPolicies.Policy(
            new JwtRule { Issuer = "i1" }, new JwtRule { JwksUri = "https://keys", Timeout = TimeSpan.FromSeconds(1) }, Rule)
            .Annotated("portcullis.io/ca", "x").Annotated("other/ca", "y");

        TestPolicies.Compile([policy], keys: keys);

        var annotations = new Dictionary<string, string> { ["portcullis.io/ca"] = "x" };
        Assert.Equal(
            [
                new() { JwksUri = "https://keys", Timeout = TimeSpan.FromSeconds(1), Annotations = annotations },
                new JwksLocation { Issuer = "i1", Timeout = TimeSpan.FromSeconds(5), Annotations = annotations },
            ],
            keys.Asked);
        Assert.NotEqual(keys.Asked[0], keys.Asked[1]);
        Assert.Equal(keys.Asked[1].GetHashCode(), (keys.Asked[1] with { }).GetHashCode());
    }

    [Fact]
    public void Compile_NeitherIssuerNorKeys_RefusesEveryToken()
    {
        var (stage, problems) = TestPolicies.Compile([TestPolicies.Policy(new JwtRule())]);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        Assert.Equal("issuer or jwksUri must be non-empty string", Assert.Single(problems).Message);
        Assert.Equal(JwtStatus.VerificationFailed, stage!.Authenticate(in request, TestPolicies.Now).Status);
    }

    [Fact]
    public void Compile_RequiredRuleOnASharedLocation_Warns()
    {
        var (_, problems) = TestPolicies.Compile([TestPolicies.Policy(Rule, Rule with { Issuer = "i2", Presence = JwtPresence.Required })]);

        var problem = Assert.Single(problems);
        Assert.Equal(("spec.jwtRules[1].presence", ProblemSeverity.Warning), (problem.FieldPath, problem.Severity));
        Assert.Contains("header `authorization` with prefix `Bearer `", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_RequiredRulesOnTheirOwnLocations_AreFine()
    {
        var (_, problems) = TestPolicies.Compile([TestPolicies.Policy(
            Rule with { Presence = JwtPresence.Required }, Rule with { Issuer = "i2", FromHeaders = TestPolicies.Header("x-b"), Presence = JwtPresence.Required })]);

        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("X-A", "so no token is ever found there")]
    [InlineData("Cookie", "so no token is ever found there")]
    public void Compile_OutputOverItsOwnToken_WarnsAndFindsNoToken(string header, string consequence)
    {
        var rule = Rule with { FromHeaders = TestPolicies.Header("x-a"), FromCookies = ["c"], OutputPayloadToHeader = header };
        var (stage, problems) = TestPolicies.Compile([TestPolicies.Policy(rule)]);
        var token = Issuer.Mint("alice");
        var request = header == "Cookie" ? new TestRequest("/", "GET", ("cookie", $"c={token}")) : new TestRequest("/", "GET", ("x-a", token));

        Assert.Contains(consequence, Assert.Single(problems).Message, StringComparison.Ordinal);
        var result = stage!.Authenticate(in request, TestPolicies.Now);
        Assert.Equal((JwtStatus.Ok, null), (result.Status, result.Identity));
        Assert.Empty(request.After(result.Edits).Headers);
    }

    [Theory]
    [InlineData("content-length")]
    [InlineData("Transfer-Encoding")]
    [InlineData("host")]
    [InlineData("x y")]
    [InlineData("x\r\ny")]
    [InlineData(":path")]
    public void Compile_OutputThatWouldReframeTheRequest_IsRefusedAndNeitherWrittenNorRemoved(string header)
    {
        var rule = Rule with { OutputPayloadToHeader = header, OutputClaimToHeaders = TestPolicies.Claims((header, "sub")) };
        var (stage, problems) = TestPolicies.Compile([TestPolicies.Policy(rule)]);
        var request = TestRequest.WithBearer(Issuer.Mint("alice"));

        Assert.Equal(["spec.jwtRules[0].outputPayloadToHeader", "spec.jwtRules[0].outputClaimToHeaders[0].header"], problems.Select(p => p.FieldPath));
        Assert.All(problems, p => Assert.Equal(ProblemSeverity.Error, p.Severity));
        Assert.Equal(["authorization"], stage!.Authenticate(in request, TestPolicies.Now).Edits!.HeadersToRemove);
    }

    [Theory]
    [InlineData(AuthorizationDeniedMode.Forbidden, PrincipalWithoutSubMode.Reject, DenyPathReadingsMode.Exact, true)]
    [InlineData(AuthorizationDeniedMode.Challenge, PrincipalWithoutSubMode.Reject, DenyPathReadingsMode.Exact, false)]
    [InlineData(AuthorizationDeniedMode.Forbidden, PrincipalWithoutSubMode.Accept, DenyPathReadingsMode.Exact, false)]
    [InlineData(AuthorizationDeniedMode.Forbidden, PrincipalWithoutSubMode.Reject, DenyPathReadingsMode.All, false)]
    public void For_MeshConfig_IsExactOnlyWithAllThreeSwitches(
        AuthorizationDeniedMode denied, PrincipalWithoutSubMode principal, DenyPathReadingsMode readings, bool exact)
    {
        var mesh = new MeshConfig { AuthorizationDenied = denied, PrincipalWithoutSub = principal, DenyPathReadings = readings, RootNamespace = "root" };

        var options = AuthenticationOptions.For(mesh, new WorkloadIdentity());

        Assert.Equal((exact, "root"), (options.IstioExact, options.RootNamespace));
    }
}
