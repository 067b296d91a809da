using System.CommandLine;
using System.Text.Json;
using Portcullis.Commands;
using Portcullis.FunctionalTests.Support;
using Portcullis.Jose;
using Portcullis.TestSupport;

namespace Portcullis.FunctionalTests.Commands;

/// <summary><c>jwt verify -f</c>: one test for each row of the guide's troubleshooting, and for what it never prints.</summary>
public sealed class JwtVerifyConfigurationTests : IDisposable
{
    private const string Issuer = "testing@asm.test.io";
    private const string Subject = "demo@asm.test.io";

    private readonly TemporaryFolder _folder = new();
    private readonly TokenIssuer _issuer = new(Issuer, JsonWebKey.Generate(JwsAlgorithm.ES256, "key-a"));
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void GoodToken_IsAcceptedWithItsPrincipal()
    {
        var (code, output) = Verify(_issuer.Mint(Subject));

        Assert.Equal(0, code);
        Assert.Contains($"accepted, principal `{Issuer}/{Subject}`", output, StringComparison.Ordinal);
        Assert.Contains("found in header `authorization`", output, StringComparison.Ordinal);
        Assert.Contains("passes", output, StringComparison.Ordinal);
    }

    [Fact]
    public void ExpiredToken_IsToldByHowMuch()
    {
        var (code, output) = Verify(_issuer.Mint(Subject, _now.AddMinutes(-10)));

        Assert.Equal(1, code);
        Assert.Contains("refused: Jwt is expired", output, StringComparison.Ordinal);
        Assert.Contains("expired 10 min", output, StringComparison.Ordinal);
        Assert.Contains("remedy:", output, StringComparison.Ordinal);
    }

    [Fact]
    public void ClockSkew_OfATokenOfTheFuture_IsNamed()
    {
        var (code, output) = Verify(_issuer.Mint(Subject, null, ("nbf", _now.AddMinutes(10).ToUnixTimeSeconds())));

        Assert.Equal(1, code);
        Assert.Contains("refused: Jwt not yet valid", output, StringComparison.Ordinal);
        Assert.Contains("clock", output, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("somebody@else.example", "`somebody@else.example`")]
    [InlineData("testing@asm.test.io/", "slash")]
    [InlineData("Testing@asm.test.io", "case")]
    public void IssuerMismatch_NamesBothAndTheSmallDifference(string issuer, string hint)
    {
        var (code, output) = Verify(new TokenIssuer(issuer, _issuer.Key).Mint(Subject));

        Assert.Equal(1, code);
        Assert.Contains("refused: Jwt issuer is not configured", output, StringComparison.Ordinal);
        Assert.Contains($"`{Issuer}`", output, StringComparison.Ordinal);
        Assert.Contains(hint, output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void KeyMismatch_NamesTheTokensKeyAndThoseOfTheSet()
    {
        var (_, unknown) = Verify(new TokenIssuer(Issuer, JsonWebKey.Generate(JwsAlgorithm.ES256, "key-b")).Mint(Subject));
        Assert.Contains("Jwks doesn't have key to match kid or alg from Jwt", unknown, StringComparison.Ordinal);
        Assert.Contains("key-b", unknown, StringComparison.Ordinal);
        Assert.Contains("key-a", unknown, StringComparison.Ordinal);

        var (code, other) = Verify(new TokenIssuer(Issuer, JsonWebKey.Generate(JwsAlgorithm.ES256, "key-a")).Mint(Subject));
        Assert.Equal(1, code);
        Assert.Contains("Jwt verification fails", other, StringComparison.Ordinal);
        Assert.Contains("another key pair signed", other, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingPrincipal_IsSaidOfTheRequestWithoutToken()
    {
        _folder.Write("policy.yaml", Samples.GuideStep("1-require-jwt.yaml"));

        var (_, output) = Run("--without-token");

        Assert.Contains("401 `Jwt is missing`", output, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongPrincipalFormat_OfATokenWithoutSubject_IsSaid()
    {
        _folder.Write("policy.yaml", Samples.GuideStep("2-issuer-and-subject.yaml"));

        var (code, output) = Verify(_issuer.Mint());

        Assert.Equal(0, code); // the token itself is good
        Assert.Contains("`RBAC: access denied`", output, StringComparison.Ordinal);
        Assert.Contains("sub", output, StringComparison.Ordinal);
    }

    [Fact]
    public void UnreachableKeyServer_IsNamedWithItsReason()
    {
        using var dead = new DeadPort();
        var url = $"http://127.0.0.1:{dead.Port}/keys";

        var (code, output) = Run(Rule($"jwksUri: {url}"), "--online", _issuer.Mint(Subject));

        Assert.Equal(1, code);
        Assert.Contains(url, output, StringComparison.Ordinal);
        Assert.Contains("refused", output, StringComparison.Ordinal);
    }

    [Fact]
    public void RemoteKeys_WithoutOnline_AreSaidNotToBeFetched()
    {
        var (_, output) = Run(Rule("jwksUri: https://issuer.example/keys"), _issuer.Mint(Subject));

        Assert.Contains("--online", output, StringComparison.Ordinal);
    }

    [Fact]
    public void InvalidInlineKeys_AreNamed()
    {
        var (code, output) = Run(Rule("""jwks: '{"keys":[{"kty":"RSA","n":"AQAB"}]}'"""), _issuer.Mint(Subject));

        Assert.Equal(1, code);
        Assert.Contains("Jwks doesn't have any valid public key", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_NeverHoldsTheSignatureOrTheWholeToken()
    {
        var token = _issuer.Mint(Subject);

        foreach (var format in (string[])["text", "json"])
        {
            var (_, output) = Run(Rule(Jwks()), "--output", format, token);
            Assert.DoesNotContain(token.Split('.')[2][..20], output, StringComparison.Ordinal);
            Assert.DoesNotContain(token.Split('.')[1], output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Json_IsReadByAProgram()
    {
        var (_, output) = Run(Rule(Jwks()), "--output", "json", _issuer.Mint(Subject));

        using var json = JsonDocument.Parse(output);
        Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
    }

    private (int Code, string Output) Verify(string token) => Run(Rule(Jwks()), token);

    private string Jwks() => $"jwks: '{_issuer.JwksJson}'";

    private (int Code, string Output) Run(string first, params string[] arguments)
    {
        if (first.StartsWith("apiVersion", StringComparison.Ordinal))
        {
            _folder.Write("jwt.yaml", first);
        }
        else
        {
            _folder.Write("jwt.yaml", Rule(Jwks()));
            arguments = [first, .. arguments];
        }

        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        var code = JwtCommand.Create().Parse(["verify", "-f", _folder.Path, .. arguments]).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString() + error);
    }

    private static string Rule(string keys) => $"""
        apiVersion: security.istio.io/v1
        kind: RequestAuthentication
        metadata:
          name: jwt
          namespace: istio-system
        spec:
          jwtRules:
            - issuer: {Issuer}
              {keys}
        """;
}
